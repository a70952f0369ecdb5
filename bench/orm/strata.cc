// Strata's orm on SQLite.
//
//   --how=batch    all inserts at once by a Batch, and not by InsertAll()
//   --how=select   all rows by a Select, and not by SQL
//   --cipher=gcm, --cipher=ctr   in an encrypted file

#include <array>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "bench/orm/contender.h"
#include "strata/orm/batch.h"
#include "strata/orm/database.h"
#include "strata/orm/encrypted.h"
#include "strata/orm/select.h"

namespace {

using bench::People;
using bench::Person;
using bench::Tally;
using strata::orm::Database;
using strata::orm::DatabaseOptions;
using strata::orm::Records;

void Check(const absl::Status& status) {
  if (!status.ok()) bench::Fail(std::string(status.message()));
}

std::shared_ptr<strata::orm::EncryptedStorage> StorageOf(const std::string& cipher) {
  strata::orm::EncryptionOptions options;
  if (cipher == "ctr") {
    options.cipher = strata::orm::PageCipher::kAes256CtrUnauthenticated;
  } else if (cipher != "gcm") {
    bench::Fail("no cipher " + cipher);
  }
  std::array<std::uint8_t, strata::orm::EncryptionKey::kBytes> key;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  auto storage = strata::orm::EncryptedStorage::Create(
      strata::orm::EncryptionKey::FromKey(std::span<const std::uint8_t>(key)), options);
  Check(storage.status());
  return *storage;
}

class Strata final : public bench::Contender {
 public:
  Strata(const bench::Place& place, const bench::Arguments& arguments)
      : by_batch_(arguments.Text("--how") == "batch"),
        by_select_(arguments.Text("--how") == "select") {
    DatabaseOptions options;
    options.synchronous =
        place.full ? DatabaseOptions::Synchronous::kFull : DatabaseOptions::Synchronous::kOff;
    options.exclusive = place.exclusive;
    if (place.rollback) options.journal = DatabaseOptions::Journal::kDelete;
    options.cache_bytes = place.cache_bytes;
    if (arguments.Has("--cipher")) options.storage = StorageOf(arguments.Text("--cipher"));
    auto db = Database::Open(place.path, options);
    Check(db.status());
    db_ = *std::move(db);
    records_ = db_.get();
    Check(db_->Create<Person>());
  }

  void InsertEach(People people) override {
    for (Person& person : people) Check(records_->Insert(&person));
  }

  void InsertAll(People people) override {
    if (by_batch_) {
      InsertInBatches(people);
    } else {
      Check(records_->InsertAll(std::span<const Person>(people)));
    }
  }

  void InsertInBatches(People people) override {
    strata::orm::Batch batch(records_, {.rows = bench::kRowsPerBatch});
    for (const Person& person : people) Check(batch.Insert(person));
    Check(batch.Flush());
  }

  void ReadEach(std::span<const std::int64_t> ids, Tally& tally) override {
    for (const std::int64_t id : ids) {
      const auto person = records_->Get<Person>(id);
      if (!person.ok()) Check(person.status());
      tally.Add(*person);
    }
  }

  void ReadAll(Tally& tally) override {
    const auto people = by_select_ ? strata::orm::Select<Person>().All(*records_)
                                   : records_->Query<Person>("SELECT * FROM Person");
    Check(people.status());
    for (const Person& person : *people) tally.Add(person);
  }

  void Transact(const std::function<void()>& body) override {
    Check(db_->Transact([&](strata::orm::Transaction& transaction) {
      records_ = &transaction;
      body();
      records_ = db_.get();
      return absl::OkStatus();
    }));
  }

  std::string Ask(const std::string& sql) override {
    if (const auto texts = records_->Query<std::string>(sql); texts.ok()) {
      return texts->empty() ? "" : texts->front();
    }
    const auto numbers = records_->Query<std::int64_t>(sql);
    Check(numbers.status());
    return numbers->empty() ? "" : std::to_string(numbers->front());
  }

 private:
  const bool by_batch_;
  const bool by_select_;
  std::unique_ptr<Database> db_;
  Records* records_;
};

}  // namespace

int main(int argc, char** argv) {
  return bench::Run(argc, argv,
                    [](const bench::Place& place,
                       const bench::Arguments& arguments) -> std::unique_ptr<bench::Contender> {
                      return std::make_unique<Strata>(place, arguments);
                    });
}
