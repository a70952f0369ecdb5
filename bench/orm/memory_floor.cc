// The floor of an engine in memory, written by hand for the struct: rows in a std::deque, found by
// a hash map of their addresses, and JSON by code that knows the members and, for reading, their
// order. It checks no value, has no transactions, and tells nobody of an error but by its end.
//
//   --how=indexed   with a unique column, which `find-text` needs, and an ordered one

#include <charconv>
#include <cstring>
#include <deque>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "bench/orm/contender.h"

namespace {

using bench::People;
using bench::Person;
using bench::Tally;

// ---- JSON --------------------------------------------------------------------------------------

void AppendNumber(std::int64_t number, std::string& text) {
  char digits[20];
  text.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// With as many decimals as it needs.
void AppendAmount(std::int64_t ten_thousandths, std::string& text) {
  if (ten_thousandths < 0) text += '-';
  const std::uint64_t amount =
      ten_thousandths < 0 ? -static_cast<std::uint64_t>(ten_thousandths) : ten_thousandths;
  AppendNumber(static_cast<std::int64_t>(amount / 10'000), text);
  std::uint64_t decimals = amount % 10'000;
  if (decimals == 0) return;
  text += '.';
  for (std::uint64_t unit = 1'000; decimals > 0; unit /= 10) {
    text += static_cast<char>('0' + decimals / unit);
    decimals %= unit;
  }
}

void AppendString(const std::string& value, std::string& text) {
  text += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr char kDigits[] = "0123456789abcdef";
      text += "\\u00";
      text += kDigits[c >> 4];
      text += kDigits[c & 15];
    } else {
      text += c;
    }
  }
  text += '"';
}

// Takes what it knows to come.
class Reader {
 public:
  explicit Reader(const std::string& text) : at_(text.data()), end_(at_ + text.size()) {}

  bool Skip(std::string_view what) {
    if (static_cast<std::size_t>(end_ - at_) < what.size() ||
        std::memcmp(at_, what.data(), what.size()) != 0) {
      return false;
    }
    at_ += what.size();
    return true;
  }
  void Expect(std::string_view what) {
    if (!Skip(what)) bench::Fail("no " + std::string(what));
  }
  std::int64_t Number() {
    std::int64_t number = 0;
    at_ = std::from_chars(at_, end_, number).ptr;
    return number;
  }
  std::int64_t Amount() {
    std::int64_t amount = Number() * 10'000;
    if (!Skip(".")) return amount;
    for (std::int64_t unit = 1'000; unit > 0 && *at_ >= '0' && *at_ <= '9'; unit /= 10) {
      amount += (*at_++ - '0') * unit;
    }
    return amount;
  }
  // Without an escape.
  std::string_view String() {
    Expect("\"");
    const auto* quote = static_cast<const char*>(std::memchr(at_, '"', end_ - at_));
    if (quote == nullptr) bench::Fail("a string without an end");
    const std::string_view text(at_, static_cast<std::size_t>(quote - at_));
    at_ = quote + 1;
    return text;
  }

 private:
  const char* at_;
  const char* end_;
};

// ---- The contender -----------------------------------------------------------------------------

class Floor final : public bench::Contender {
 public:
  explicit Floor(bool indexed) : indexed_(indexed) {}

  void InsertEach(People people) override {
    for (const Person& person : people) Insert(person);
  }

  void InsertAll(People people) override { InsertEach(people); }

  void ReadEach(std::span<const std::int64_t> ids, Tally& tally) override {
    for (const std::int64_t id : ids) {
      const Person person = *by_id_.find(id)->second;
      tally.Add(person);
    }
  }

  void ReadAll(Tally& tally) override {
    for (const Person& person : rows_) tally.Add(person);
  }

  void Transact(const std::function<void()>& body) override { body(); }

  std::int64_t Find(std::span<const std::int64_t> ids) override {
    std::int64_t sum = 0;
    for (const std::int64_t id : ids) sum += by_id_.find(id)->second->birth_date;
    return sum;
  }

  std::int64_t FindTexts(std::span<const std::string> last_names) override {
    std::int64_t sum = 0;
    for (const std::string& name : last_names) sum += by_name_.find(name)->second->birth_date;
    return sum;
  }

  void AppendJson(std::string& text) override {
    text += '[';
    for (const Person& person : rows_) {
      text += text.size() == 1 ? "{\"id\":" : ",{\"id\":";
      AppendNumber(person.id, text);
      text += ",\"first_name\":";
      AppendString(person.first_name, text);
      text += ",\"last_name\":";
      AppendString(person.last_name, text);
      text += ",\"amount\":";
      AppendAmount(person.amount.ten_thousandths(), text);
      text += ",\"birth_date\":";
      AppendNumber(person.birth_date, text);
      text += ",\"last_change\":";
      AppendNumber(person.last_change, text);
      text += ",\"created_at\":";
      AppendNumber(person.created_at, text);
      text += '}';
    }
    text += ']';
  }

  void InsertJson(const std::string& text) override {
    Reader reader(text);
    reader.Expect("[");
    do {
      Person person;
      reader.Expect("{\"id\":");
      person.id = reader.Number();
      reader.Expect(",\"first_name\":");
      person.first_name = reader.String();
      reader.Expect(",\"last_name\":");
      person.last_name = reader.String();
      reader.Expect(",\"amount\":");
      person.amount = strata::orm::Currency::FromTenThousandths(reader.Amount());
      reader.Expect(",\"birth_date\":");
      person.birth_date = reader.Number();
      reader.Expect(",\"last_change\":");
      person.last_change = reader.Number();
      reader.Expect(",\"created_at\":");
      person.created_at = reader.Number();
      reader.Expect("}");
      Insert(std::move(person));
    } while (reader.Skip(","));
    reader.Expect("]");
  }

 private:
  void Insert(Person person) {
    Person& row = rows_.emplace_back(std::move(person));
    row.id = static_cast<std::int64_t>(rows_.size());
    by_id_.emplace(row.id, &row);
    if (!indexed_) return;
    by_name_.emplace(row.last_name, &row);
    by_birth_.emplace(row.birth_date, &row);
  }

  const bool indexed_;
  std::deque<Person> rows_;
  absl::flat_hash_map<std::int64_t, const Person*> by_id_;
  absl::flat_hash_map<std::string_view, const Person*> by_name_;
  absl::btree_multimap<std::int64_t, const Person*> by_birth_;
};

}  // namespace

int main(int argc, char** argv) {
  return bench::Run(argc, argv,
                    [](const bench::Place& place,
                       const bench::Arguments& arguments) -> std::unique_ptr<bench::Contender> {
                      if (!place.in_memory()) bench::Fail("it has no files");
                      const std::string how = arguments.Text("--how");
                      if (!how.empty() && how != "indexed") bench::Fail("no way " + how);
                      return std::make_unique<Floor>(how == "indexed");
                    });
}
