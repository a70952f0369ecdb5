// From the logs of changes to those who follow them.

#ifndef STRATA_ORM_REST_CHANGE_PUMP_INTERNAL_H_
#define STRATA_ORM_REST_CHANGE_PUMP_INTERNAL_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "strata/orm/rest/rest.h"

namespace strata::orm::rest::internal {

// Who follows the changes of a table. All functions are called by the pump's thread.
class Watcher {
 public:
  // `from` is the last change that it knows; -1 to begin with what comes.
  Watcher(const TableInfo& table_in, const TypeInfo& type_in, const ChangeSource& source_in,
          std::string key_in, std::int64_t from)
      : table(table_in), type(type_in), source(source_in), key(std::move(key_in)), position(from) {}
  virtual ~Watcher() = default;

  virtual bool IsClosed() const = 0;

  // Whether it keeps up. While it does not, nothing is read for it: what it is behind is in the
  // log. It calls ChangePump::Wake() when it does again.
  virtual bool IsReady() const = 0;

  // False if there is no room, or nobody there.
  virtual bool Send(std::int64_t sequence, std::string_view json) = 0;

  const TableInfo& table;
  const TypeInfo& type;
  const ChangeSource& source;
  const std::string key;  // Of the only row that it follows; empty: all.
  std::int64_t position;
  bool is_told = false;  // Where it begins.
};

// Reads what is committed, in its order, and gives it to the watchers, each at its own pace: there
// is no queue for any of them but the log. Those that are at the same position share what is read.
// It has a thread of its own, which runs as long as there are watchers, so that it does not depend
// on the room that a pool has.
class ChangePump {
 public:
  ChangePump(Records& records, std::size_t max_watchers)
      : records_(records), max_watchers_(max_watchers) {}
  ~ChangePump() { Stop(); }

  // Before the first watcher of this source.
  absl::Status Watch(const ChangeSource& source);

  // False if there are too many, or after Stop().
  bool HasRoom();
  void Add(std::shared_ptr<Watcher> watcher);

  // Something is committed, or a watcher keeps up again. From any thread.
  void Wake();

  void Stop();

 private:
  // Of the changes after a position, as they are sent.
  struct Batch {
    struct Item {
      std::int64_t sequence;
      std::string key;
      std::string json;
    };
    const ChangeSource* source = nullptr;
    std::int64_t after = 0;
    std::vector<Item> items;
  };

  void Run();
  // Whether it may have more to get at once.
  bool Serve(Watcher& watcher);
  bool Begin(Watcher& watcher, std::string_view kind);
  absl::Status Read(const Watcher& watcher);

  Records& records_;
  const std::size_t max_watchers_;
  std::vector<std::unique_ptr<ChangeWatch>> watches_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Watcher>> watchers_;
  std::thread thread_;
  bool woken_ = false;
  bool stopped_ = false;
  Batch batch_;  // The last one of this round; by the thread.
};

}  // namespace strata::orm::rest::internal

#endif  // STRATA_ORM_REST_CHANGE_PUMP_INTERNAL_H_
