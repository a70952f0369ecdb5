// What encryption costs: the same work on a plain file (0), with AES-256-GCM (1), and with
// AES-256-CTR and no authentication (2). Syncs are off, as they would be most of the time measured.
//
//   bazel run -c opt //orm:encrypted_benchmark -- --benchmark_repetitions=9
//       --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "sqlite3.h"
#include "strata/crypto/random.h"
#include "strata/orm/database.h"
#include "strata/orm/encrypted.h"
#include "strata/orm/sqlite_internal.h"

namespace app {

struct Person {
  std::int64_t id = 0;
  std::string first_name;
  std::string last_name;
  double amount = 0;
  std::int64_t birth = 0;
  std::int64_t changed = 0;
  std::int64_t created = 0;
};
STRATA_TABLE(Person, id, first_name, last_name, amount, birth, changed, created);

}  // namespace app

namespace {

using app::Person;
using strata::orm::Database;
using strata::orm::DatabaseOptions;
using strata::orm::EncryptedStorage;
using strata::orm::EncryptionKey;
using strata::orm::PageCipher;

constexpr int kRows = 100'000;  // Some 6 MB.
constexpr int kReads = 20'000;

constexpr std::size_t kFits = std::size_t{32} << 20;
constexpr std::size_t kSmall = std::size_t{2} << 20;

const std::vector<Person>& People() {
  static const auto* people = [] {
    auto* made = new std::vector<Person>(kRows);
    for (int i = 0; i < kRows; ++i) {
      (*made)[static_cast<std::size_t>(i)] = {
          i + 1, "Nam\xC3\xA9 " + std::to_string(i), std::to_string(i), i * 0.01, i, i + 1, i + 2};
    }
    return made;
  }();
  return *people;
}

// A file that is gone with the object.
class TempDatabase {
 public:
  TempDatabase(std::int64_t mode, std::size_t cache_bytes, DatabaseOptions::Journal journal) {
    std::string folder = (std::filesystem::temp_directory_path() / "orm.XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) std::abort();
    folder_ = folder;
    options_.journal = journal;
    options_.synchronous = DatabaseOptions::Synchronous::kOff;
    options_.cache_bytes = cache_bytes;
    if (mode != 0) {
      strata::orm::EncryptionOptions encryption;
      if (mode == 2) encryption.cipher = PageCipher::kAes256CtrUnauthenticated;
      options_.storage = *EncryptedStorage::Create(
          EncryptionKey::FromKey(
              strata::crypto::SecureRandom::Secret(EncryptionKey::kBytes).bytes()),
          encryption);
    }
  }
  ~TempDatabase() { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Database> Open() const {
    auto db = Database::Open(Path(), options_);
    if (!db.ok() || !(*db)->Create<Person>().ok()) std::abort();
    return *std::move(db);
  }
  std::string Path() const { return folder_ / "a.db"; }
  const DatabaseOptions& options() const { return options_; }

 private:
  std::filesystem::path folder_;
  DatabaseOptions options_;
};

// With the checkpoint at the end, as the file is closed.
void Inserts(benchmark::State& state, DatabaseOptions::Journal journal) {
  for (auto _ : state) {
    state.PauseTiming();
    auto file = std::make_unique<TempDatabase>(state.range(0), kSmall, journal);
    auto db = file->Open();
    state.ResumeTiming();
    if (!db->InsertAll(People()).ok()) std::abort();
    db.reset();
    state.PauseTiming();
    file.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK_CAPTURE(Inserts, wal, DatabaseOptions::Journal::kWal)->Arg(0)->Arg(1)->Arg(2);
BENCHMARK_CAPTURE(Inserts, journal, DatabaseOptions::Journal::kDelete)->Arg(0)->Arg(1)->Arg(2);

// All rows and columns, by a connection that has read none of them.
void Scan(benchmark::State& state) {
  const TempDatabase file(state.range(0), kSmall, DatabaseOptions::Journal::kWal);
  if (!file.Open()->InsertAll(People()).ok()) std::abort();
  auto connection = strata::orm::internal::Connection::Open(file.Path(), file.options());
  auto statement = (*connection)->Prepare("SELECT * FROM Person", true);
  for (auto _ : state) {
    std::vector<Person> people;
    people.reserve(kRows);
    while (sqlite3_step(statement->get()) == SQLITE_ROW) {
      const auto text = [&](int column) {
        return std::string(
            reinterpret_cast<const char*>(sqlite3_column_text(statement->get(), column)),
            static_cast<std::size_t>(sqlite3_column_bytes(statement->get(), column)));
      };
      people.push_back(
          {sqlite3_column_int64(statement->get(), 0), text(1), text(2),
           sqlite3_column_double(statement->get(), 3), sqlite3_column_int64(statement->get(), 4),
           sqlite3_column_int64(statement->get(), 5), sqlite3_column_int64(statement->get(), 6)});
    }
    if (people.size() != kRows) std::abort();
    sqlite3_reset(statement->get());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(Scan)->Arg(0)->Arg(1)->Arg(2);

// By id, at random.
void Reads(benchmark::State& state, std::size_t cache_bytes) {
  const TempDatabase file(state.range(0), cache_bytes, DatabaseOptions::Journal::kWal);
  const auto db = file.Open();
  if (!db->InsertAll(People()).ok()) std::abort();
  std::minstd_rand random(1);
  for (auto _ : state) {
    const absl::Status status = db->Transact([&](strata::orm::Transaction& t) -> absl::Status {
      for (int i = 0; i < kReads; ++i) {
        const auto person = t.Get<Person>(static_cast<std::int64_t>(1 + random() % kRows));
        if (!person.ok()) return person.status();
      }
      return absl::OkStatus();
    });
    if (!status.ok()) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * kReads);
}
BENCHMARK_CAPTURE(Reads, cached, kFits)->Arg(0)->Arg(1)->Arg(2);
BENCHMARK_CAPTURE(Reads, beyond_the_cache, kSmall)->Arg(0)->Arg(1)->Arg(2);

}  // namespace
