// Strata's engine in memory.
//
//   --how=indexed   with a unique column, which `find-text` needs, and an ordered one

#include "strata/orm/memory.h"

#include <type_traits>
#include <utility>
#include <vector>

#include "bench/orm/contender.h"

namespace bench {

struct IndexedPerson {
  std::int64_t id = 0;
  std::string first_name;
  std::string last_name;
  strata::orm::Currency amount;
  std::int64_t birth_date = 0;
  std::int64_t last_change = 0;
  std::int64_t created_at = 0;
};
STRATA_TABLE(IndexedPerson, id, first_name, (last_name, Unique()), amount, (birth_date, Indexed()),
             last_change, created_at);

}  // namespace bench

namespace {

using bench::IndexedPerson;
using bench::People;
using bench::Person;
using bench::Tally;
using strata::orm::MemoryDatabase;
using strata::orm::MemoryOptions;
using strata::orm::MemoryView;
using strata::orm::Records;

void Check(const absl::Status& status) {
  if (!status.ok()) bench::Fail(std::string(status.message()));
}

template <typename Row>
class Memory final : public bench::Contender {
 public:
  explicit Memory(const bench::Place& place) {
    MemoryOptions options;
    options.synchronous =
        place.full ? MemoryOptions::Synchronous::kFull : MemoryOptions::Synchronous::kOff;
    auto db = MemoryDatabase::Open<Row>(place.path, options);
    Check(db.status());
    db_ = *std::move(db);
    records_ = db_.get();
  }

  void InsertEach(People people) override {
    if constexpr (kIsPlain) {
      for (Person& person : people) Check(records_->Insert(&person));
    } else {
      for (IndexedPerson& person : Copies(people)) {
        person.id = 0;
        Check(records_->Insert(&person));
      }
    }
  }

  void InsertAll(People people) override {
    if constexpr (kIsPlain) {
      Check(records_->InsertAll(std::span<const Person>(people)));
    } else {
      Check(records_->InsertAll(std::span<const IndexedPerson>(Copies(people))));
    }
  }

  void ReadEach(std::span<const std::int64_t> ids, Tally& tally) override {
    for (const std::int64_t id : ids) {
      const auto row = records_->Get<Row>(id);
      if (!row.ok()) Check(row.status());
      tally.Add(*row);
    }
  }

  void ReadAll(Tally& tally) override {
    Check(MemoryView(db_.get()).ForEach<Row>([&](const Row& row) { tally.Add(row); }));
  }

  void Transact(const std::function<void()>& body) override {
    Check(db_->Transact([&](strata::orm::Transaction& transaction) {
      records_ = &transaction;
      body();
      records_ = db_.get();
      return absl::OkStatus();
    }));
  }

  std::int64_t Find(std::span<const std::int64_t> ids) override {
    const MemoryView view(db_.get());
    std::int64_t sum = 0;
    for (const std::int64_t id : ids) {
      const Row* row = view.Find<Row>(id);
      if (row == nullptr) bench::Fail("no such row");
      sum += row->birth_date;
    }
    return sum;
  }

  std::int64_t FindTexts(std::span<const std::string> last_names) override {
    const MemoryView view(db_.get());
    std::int64_t sum = 0;
    for (const std::string& name : last_names) {
      const auto row = view.FindBy(&Row::last_name, name);
      Check(row.status());
      if (*row == nullptr) bench::Fail("no such row");
      sum += (*row)->birth_date;
    }
    return sum;
  }

  void AppendJson(std::string& text) override { Check(db_->AppendJson<Row>(&text)); }
  void InsertJson(const std::string& text) override { Check(db_->InsertJson<Row>(text)); }

 private:
  static constexpr bool kIsPlain = std::is_same_v<Row, Person>;

  // The rows of the other type, made once, before anything is timed: all the works of a program are
  // on the same people, and here on all of them at once.
  std::span<IndexedPerson> Copies(People people) {
    static std::vector<IndexedPerson> copies = [&] {
      std::vector<IndexedPerson> made;
      for (const Person& person : people) {
        made.push_back({0, person.first_name, person.last_name, person.amount, person.birth_date,
                        person.last_change, person.created_at});
      }
      return made;
    }();
    if (copies.size() != people.size()) bench::Fail("no batches of indexed rows");
    return copies;
  }

  std::unique_ptr<MemoryDatabase> db_;
  Records* records_;
};

}  // namespace

int main(int argc, char** argv) {
  return bench::Run(argc, argv,
                    [](const bench::Place& place,
                       const bench::Arguments& arguments) -> std::unique_ptr<bench::Contender> {
                      const std::string how = arguments.Text("--how");
                      if (how == "indexed") return std::make_unique<Memory<IndexedPerson>>(place);
                      if (!how.empty()) bench::Fail("no way " + how);
                      return std::make_unique<Memory<Person>>(place);
                    });
}
