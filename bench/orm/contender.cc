// The works, and their time.

#include "bench/orm/contender.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string_view>
#include <vector>

#include "strata/orm/json.h"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

// Of the wall, for each of the processor: syncs take the one and not the other.
constexpr double kPatience = 10;

double CpuNanoseconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// A folder that is gone with the object.
class Folder {
 public:
  explicit Folder(const std::string& parent) : path_(parent + "/orm.XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) Fail(path_ + ": cannot be made");
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file() const { return path_ + "/people"; }
  void Clear() const {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      std::filesystem::remove(entry.path());
    }
  }

 private:
  std::string path_;
};

Place PlaceOf(const Arguments& arguments, const Folder& folder) {
  const std::string storage = arguments.Text("--storage", "memory");
  Place place;
  if (storage == "memory") {
    place.path = ":memory:";
  } else if (storage == "full" || storage == "off" || storage == "exclusive") {
    place.path = folder.file();
    place.full = storage == "full";
    place.exclusive = storage == "exclusive";
  } else {
    Fail("no storage " + storage + "; there are: full, off, exclusive, memory");
  }
  place.rollback = arguments.Has("--rollback");
  place.cache_bytes = arguments.Number("--cache-bytes", static_cast<unsigned>(place.cache_bytes));
  return place;
}

class Bench {
 public:
  Bench(const Arguments& arguments, const Folder& folder, Open open)
      : arguments_(arguments),
        open_(open),
        folder_(folder),
        place_(PlaceOf(arguments, folder_)),
        people_(MakePeople(arguments.Number("--rows", 10'000))) {
    std::mt19937_64 random(1);
    for (std::size_t i = 0; i < people_.size(); ++i) ids_.push_back(1 + random() % people_.size());
    for (const Person& person : people_) expected_.Add(person);
    for (const std::int64_t id : ids_) {
      expected_at_ids_.Add(people_[static_cast<std::size_t>(id - 1)]);
    }
  }

  // False if there is no such work.
  bool Run(std::string_view work) {
    if (work == "direct") {
      RunInserts([](Contender& c, People people) { c.InsertEach(people); });
    } else if (work == "trans") {
      RunInserts([](Contender& c, People people) { c.Transact([&] { c.InsertEach(people); }); });
    } else if (work == "batch") {
      RunInserts([](Contender& c, People people) { c.InsertInBatches(people); });
    } else if (work == "batch-trans") {
      RunInserts([](Contender& c, People people) { c.Transact([&] { c.InsertAll(people); }); });
    } else if (work == "from-json") {
      const std::string text = *strata::orm::ToJson(people_);
      RunInserts([&text](Contender& c, People) { c.InsertJson(text); });
    } else if (work == "one") {
      RunReads(expected_at_ids_, [this](Contender& c, Tally& tally) { c.ReadEach(ids_, tally); });
    } else if (work == "one-trans") {
      RunReads(expected_at_ids_, [this](Contender& c, Tally& tally) {
        c.Transact([&] { c.ReadEach(ids_, tally); });
      });
    } else if (work == "all") {
      RunReads(expected_, [](Contender& c, Tally& tally) { c.ReadAll(tally); });
    } else if (work == "find") {
      RunFinds([this](Contender& c) { return c.Find(ids_); });
    } else if (work == "find-text") {
      std::vector<std::string> names;
      for (const std::int64_t id : ids_) names.push_back(std::to_string(id));
      RunFinds([&names](Contender& c) { return c.FindTexts(names); });
    } else if (work == "to-json") {
      RunToJson();
    } else {
      return false;
    }
    return true;
  }

  void Print() const { std::printf("{\"rows\": %llu, \"ns\": %.0f}\n", rows_, cpu_ns_); }

  // What of the database a difference in speed could come from.
  void PrintSettings() {
    const std::unique_ptr<Contender> contender = OpenNew();
    for (const char* sql :
         {"SELECT sqlite_version()", "PRAGMA journal_mode", "PRAGMA synchronous",
          "PRAGMA locking_mode", "PRAGMA cache_size", "PRAGMA page_size", "PRAGMA foreign_keys",
          "PRAGMA temp_store", "PRAGMA cell_size_check", "PRAGMA wal_autocheckpoint",
          "PRAGMA mmap_size", "PRAGMA secure_delete", "PRAGMA auto_vacuum", "PRAGMA encoding",
          "SELECT group_concat(cid || name || type || \"notnull\" || pk, ';') FROM "
          "pragma_table_info('Person')",
          "SELECT strict || wr FROM pragma_table_list('Person')"}) {
      std::printf("%s: %s\n", sql, contender->Ask(sql).c_str());
    }
  }

 private:
  std::unique_ptr<Contender> OpenNew() {
    folder_.Clear();
    return open_(place_, arguments_);
  }

  void Check(const Tally& tally, const Tally& expected) {
    if (tally != expected) Fail("what was read is not what was written");
  }

  void CheckAll(Contender& contender) {
    Tally tally;
    contender.ReadAll(tally);
    Check(tally, expected_);
  }

  // Calls `once`, which returns its nanoseconds, until there are enough of them.
  template <typename Once>
  void Repeat(Once once) {
    const double seconds = arguments_.Seconds("--seconds", 0);
    const auto end = Clock::now() + std::chrono::duration<double>(seconds * kPatience);
    do {
      cpu_ns_ += once();
      rows_ += people_.size();
    } while (cpu_ns_ < seconds * 1e9 && Clock::now() < end);
  }

  template <typename Insert>
  void RunInserts(Insert insert) {
    // Untimed, to see what comes of it, and to warm up.
    auto contender = OpenNew();
    ForgetIds();
    insert(*contender, people_);
    CheckAll(*contender);
    contender.reset();
    if (!place_.in_memory()) CheckAll(*open_(place_, arguments_));
    Repeat([&] {
      contender = OpenNew();
      ForgetIds();
      const double before = CpuNanoseconds();
      insert(*contender, people_);
      contender.reset();
      return CpuNanoseconds() - before;
    });
  }

  template <typename Read>
  void RunReads(const Tally& expected, Read read) {
    auto contender = OpenNew();
    ForgetIds();
    contender->Transact([&] { contender->InsertAll(people_); });
    CheckAll(*contender);
    Repeat([&] {
      // A database that has read nothing yet, if that is asked for.
      if (arguments_.Has("--cold")) {
        contender.reset();
        contender = open_(place_, arguments_);
      }
      Tally tally;
      const double before = CpuNanoseconds();
      read(*contender, tally);
      const double ns = CpuNanoseconds() - before;
      Check(tally, expected);
      return ns;
    });
  }

  template <typename Find>
  void RunFinds(Find find) {
    auto contender = OpenNew();
    ForgetIds();
    contender->InsertAll(people_);
    std::int64_t expected = 0;
    for (const std::int64_t id : ids_) {
      expected += people_[static_cast<std::size_t>(id - 1)].birth_date;
    }
    Repeat([&] {
      const double before = CpuNanoseconds();
      const std::int64_t sum = find(*contender);
      const double ns = CpuNanoseconds() - before;
      if (sum != expected) Fail("what was found is not what was written");
      return ns;
    });
  }

  void RunToJson() {
    auto contender = OpenNew();
    ForgetIds();
    contender->InsertAll(people_);
    std::string text;
    Repeat([&] {
      text.clear();
      const double before = CpuNanoseconds();
      contender->AppendJson(text);
      return CpuNanoseconds() - before;
    });
    std::vector<Person> people;
    if (const auto status = strata::orm::FromJson(text, &people); !status.ok()) {
      Fail(std::string(status.message()));
    }
    Tally tally;
    for (const Person& person : people) tally.Add(person);
    Check(tally, expected_);
  }

  void ForgetIds() {
    for (Person& person : people_) person.id = 0;
  }

  const Arguments& arguments_;
  const Open open_;
  const Folder& folder_;
  const Place place_;
  std::vector<Person> people_;
  std::vector<std::int64_t> ids_;
  Tally expected_;
  Tally expected_at_ids_;
  double cpu_ns_ = 0;
  unsigned long long rows_ = 0;
};

}  // namespace

void Contender::InsertInBatches(People people) {
  for (std::size_t at = 0; at < people.size(); at += kRowsPerBatch) {
    Transact([&] { InsertAll(people.subspan(at, std::min(kRowsPerBatch, people.size() - at))); });
  }
}

std::int64_t Contender::Find(std::span<const std::int64_t>) { Fail("finds nothing in place"); }
std::int64_t Contender::FindTexts(std::span<const std::string>) { Fail("finds no texts"); }
void Contender::AppendJson(std::string&) { Fail("no JSON"); }
void Contender::InsertJson(const std::string&) { Fail("no JSON"); }
std::string Contender::Ask(const std::string&) { return ""; }

void Fail(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(1);
}

std::string SettingsSql(const Place& place) {
  std::string sql =
      "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = "
      "ON; PRAGMA cache_size = -" +
      std::to_string(place.cache_bytes / 1024 + 1) +
      "; PRAGMA synchronous = " + (place.full ? "FULL; " : "OFF; ");
  if (place.in_memory()) return sql;
  if (place.exclusive) sql += "PRAGMA locking_mode = EXCLUSIVE; ";
  return sql + "PRAGMA journal_mode = " + (place.rollback ? "DELETE; " : "WAL; ");
}

int Run(int argc, char** argv, Open open) {
  const Arguments arguments(argc, argv,
                            {"--work", "--storage", "--rows", "--seconds", "--folder", "--how",
                             "--cipher", "--rollback", "--cache-bytes", "--cold"});
  // Static, for Fail() ends the program where it is.
  static const Folder folder(
      arguments.Text("--folder", std::filesystem::temp_directory_path().string()));
  Bench bench(arguments, folder, open);
  const std::string work = arguments.Text("--work");
  if (work == "settings") {
    bench.PrintSettings();
  } else if (bench.Run(work)) {
    bench.Print();
  } else {
    Fail("no work " + work + "; contender.h lists them");
  }
  return 0;
}

}  // namespace bench
