#include "strata/http/access_observer.h"

#include <utility>

namespace strata::http {
namespace {

class LogObserver final : public RequestObserver {
 public:
  explicit LogObserver(std::shared_ptr<AccessLog> log)
      : log_(std::move(log)), producer_(log_->NewProducer()) {}

  // A line for which there is no room is counted by the log.
  void OnAnswered(const AccessRecord& record) override { producer_->Append(record); }

 private:
  const std::shared_ptr<AccessLog> log_;
  const std::unique_ptr<AccessLog::Producer> producer_;
};

}  // namespace

ObserverFactory ObserveByLog(std::shared_ptr<AccessLog> log) {
  return [log = std::move(log)] { return std::make_unique<LogObserver>(log); };
}

}  // namespace strata::http
