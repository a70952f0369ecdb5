// A receiver that feeds a form.

#include "strata/http/form_handler.h"

#include <memory>
#include <utility>

namespace strata::http {
namespace {

int StatusOf(const absl::Status& status) {
  if (absl::IsInvalidArgument(status)) return 400;
  return absl::IsResourceExhausted(status) ? 413 : 500;
}

class FormReceiver final : public BodyReceiver {
 public:
  FormReceiver(std::shared_ptr<const FormHandler> handler, MultipartForm form, KeptRequest request,
               Responder responder)
      : handler_(std::move(handler)),
        form_(std::move(form)),
        request_(std::move(request)),
        responder_(std::move(responder)) {}

  void OnData(std::string_view bytes) override { Check(form_.Feed(bytes)); }

  void OnEnd(const FieldList&) override {
    if (Check(form_.Finish())) (*handler_)(request_, std::move(form_), std::move(responder_));
  }

 private:
  // Answers what has failed, at which the server drops the rest of the body.
  bool Check(const absl::Status& status) {
    if (status.ok()) return true;
    const int code = StatusOf(status);
    responder_.Send(Reply(code, "text/plain; charset=utf-8",
                          code == 500 ? StatusText(code) : std::string(status.message()) + "\n"));
    return false;
  }

  const std::shared_ptr<const FormHandler> handler_;
  MultipartForm form_;
  const KeptRequest request_;
  Responder responder_;
};

}  // namespace

StreamingHandler OnForm(FormHandler handler, MultipartFormOptions options) {
  return [handler = std::make_shared<const FormHandler>(std::move(handler)),
          options = std::move(options)](Request& request, Responder responder,
                                        BodyControl) -> std::unique_ptr<BodyReceiver> {
    auto form = MultipartForm::Create(request.field(FieldId::kContentType).value_or(""), options);
    if (!form.ok()) {
      responder.Send(Reply(415, "text/plain; charset=utf-8", StatusText(415)));
      return nullptr;
    }
    return std::make_unique<FormReceiver>(handler, *std::move(form), request.Keep(),
                                          std::move(responder));
  };
}

}  // namespace strata::http
