#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "strata/http/uri.h"
#include "strata/orm/expression.h"
#include "strata/orm/json.h"
#include "strata/orm/rest/list_query_internal.h"

namespace strata::orm::rest::internal {
namespace {

using orm::internal::ColumnTerm;
using orm::internal::MakeTerm;
using orm::internal::Op;
using orm::internal::OrderTerm;

std::optional<std::string> Decode(std::string_view text) {
  std::string storage(text);
  const http::Decoded decoded = http::DecodeForm(text, storage);
  if (!decoded.ok()) return std::nullopt;
  return std::string(decoded.text);
}

bool IsCompared(const TypeInfo& type) {
  return type.kind != Kind::kJson && type.kind != Kind::kList && type.kind != Kind::kStruct;
}

void AddOnce(const Column* column, std::vector<const Column*>* columns) {
  if (std::find(columns->begin(), columns->end(), column) == columns->end()) {
    columns->push_back(column);
  }
}

// The values of "in": between commas, one with commas in quotes, where "" is a quote. Nothing for
// what is not so, or too long.
std::optional<std::vector<std::string>> SplitValues(std::string_view text) {
  std::vector<std::string> values;
  for (;;) {
    if (values.size() == kMaxListValues) return std::nullopt;
    std::string& value = values.emplace_back();
    if (text.starts_with('"')) {
      text.remove_prefix(1);
      for (;;) {
        const std::size_t quote = text.find('"');
        if (quote == std::string_view::npos) return std::nullopt;
        value += text.substr(0, quote);
        text.remove_prefix(quote + 1);
        if (!text.starts_with('"')) break;
        value += '"';
        text.remove_prefix(1);
      }
    } else {
      const std::size_t comma = std::min(text.find(','), text.size());
      value = text.substr(0, comma);
      text.remove_prefix(comma);
    }
    if (text.empty()) return values;
    if (text.front() != ',') return std::nullopt;
    text.remove_prefix(1);
  }
}

class Reader {
 public:
  Reader(const TableInfo& table, const TypeInfo& type, const Options& options, ListQuery* result)
      : table_(table), type_(type), options_(options), list_(*result) {}

  Problem Read(std::string_view query) {
    list_.select.table = &table_;
    list_.limit = options_.default_limit;
    const http::QueryView pairs(query);
    if (pairs.Truncated()) return {400, "the query has too many parameters"};
    for (const http::QueryView::Pair& pair : pairs) {
      const auto name = Decode(pair.name);
      const auto value = Decode(pair.value);
      if (!name || !value) return {400, "the query has malformed percent-encoding"};
      if (Problem problem = Parameter(*name, *value); !problem.ok()) return problem;
    }
    return Finish();
  }

 private:
  // Where a parameter has a name that a column may have too, it is the parameter.
  Problem Parameter(const std::string& name, const std::string& value) {
    using Read = Problem (Reader::*)(const std::string&);
    struct Known {
      std::string_view name;
      Read read;
    };
    static constexpr std::array<Known, 5> kKnown = {{{"order", &Reader::Order},
                                                     {"select", &Reader::Columns},
                                                     {"limit", &Reader::Limit},
                                                     {"after", &Reader::After},
                                                     {"count", &Reader::Count}}};
    for (std::size_t i = 0; i < kKnown.size(); ++i) {
      if (kKnown[i].name != name) continue;
      if (std::exchange(seen_[i], true)) return ParameterProblem(name, "it is there twice");
      return (this->*kKnown[i].read)(value);
    }
    const Column* column = table_.Find(name);
    if (column == nullptr) return ParameterProblem(name.substr(0, 64), "there is no such column");
    return Test(*column, value);
  }

  Problem Test(const Column& column, std::string_view test) {
    const auto fail = [&](std::string_view why) { return ParameterProblem(column.name, why); };
    if (list_.select.where.size() == kMaxTests) return fail("there are too many tests");
    Term tested = ColumnTerm(table_, column.offset);
    const auto add = [&](Term term) {
      list_.select.where.push_back(std::move(term));
      return Problem();
    };
    if (test == "is.null" || test == "is.notnull") {
      Term is_null = MakeTerm(Op::kIsNull, std::move(tested));
      return add(test == "is.null" ? std::move(is_null) : MakeTerm(Op::kNot, std::move(is_null)));
    }
    const std::size_t dot = test.find('.');
    const std::string_view name = test.substr(0, dot);
    if (dot == std::string_view::npos) return fail("a test is as eq.value");
    if (!IsCompared(*column.value)) return fail("it can only be tested by is.null and is.notnull");
    const std::string_view text = test.substr(dot + 1);
    if (name == "like") {
      if (column.value->kind != Kind::kString) return fail("like is for texts");
      const std::string pattern = absl::StrReplaceAll(EscapeLike(text), {{"*", "%"}});
      std::optional<Term> value = Value(kTypeInfo<std::string>, pattern);
      if (!value) return fail("it is no UTF-8");
      return add(MakeTerm(Op::kLike, std::move(tested), *std::move(value)));
    }
    if (name == "in") {
      const auto texts = SplitValues(text);
      if (!texts) return fail("in takes up to 100 values, with commas between them");
      std::vector<Term> operands = {std::move(tested)};
      for (const std::string& each : *texts) {
        std::optional<Term> value = Value(*column.value, each);
        if (!value) return fail("a value is not of the column's type");
        operands.push_back(*std::move(value));
      }
      return add(MakeTerm(Op::kIn, std::move(operands)));
    }
    struct Comparison {
      std::string_view name;
      Op op;
    };
    static constexpr Comparison kComparisons[] = {
        {"eq", Op::kEqual},       {"ne", Op::kNotEqual}, {"lt", Op::kLess},
        {"le", Op::kLessOrEqual}, {"gt", Op::kGreater},  {"ge", Op::kGreaterOrEqual}};
    for (const Comparison& comparison : kComparisons) {
      if (comparison.name != name) continue;
      std::optional<Term> value = Value(*column.value, text);
      if (!value) return fail("the value is not of the column's type");
      return add(MakeTerm(comparison.op, std::move(tested), *std::move(value)));
    }
    return fail("the tests are eq, ne, lt, le, gt, ge, in, like and is");
  }

  // Of a type, kept by a row, or by itself if it is a text.
  std::optional<Term> Value(const TypeInfo& type, std::string_view text) {
    if (type.kind == Kind::kString) {
      auto kept = std::make_shared<std::string>();
      if (!ReadText(type, text, kept.get()).ok()) return std::nullopt;
      return ValueTerm(type, kept.get(), kept);
    }
    // A row of the table has a place for a value of each of its columns' types.
    for (const Column& column : table_.columns) {
      if (column.value != &type) continue;
      auto kept = std::make_shared<Row>(table_);
      void* value = column.Emplace(kept->get());
      if (!ReadText(type, text, value).ok()) return std::nullopt;
      return ValueTerm(type, value, kept);
    }
    return std::nullopt;
  }

  Problem Order(const std::string& value) {
    for (std::string_view key : absl::StrSplit(value, ',')) {
      const bool descending = key.ends_with(".desc");
      if (descending || key.ends_with(".asc")) key = key.substr(0, key.rfind('.'));
      const Column* column = table_.Find(key);
      if (column == nullptr || !IsCompared(*column->value)) {
        return ParameterProblem("order", "it is of columns, as name or name.desc");
      }
      const std::size_t before = list_.cursor.size();
      AddOnce(column, &list_.cursor);
      if (list_.cursor.size() == before)
        return ParameterProblem("order", "a column is there twice");
      list_.select.order.push_back(OrderTerm{ColumnTerm(table_, column->offset), descending});
    }
    return {};
  }

  Problem Columns(const std::string& value) {
    for (const std::string_view name : absl::StrSplit(value, ',')) {
      const Column* column = table_.Find(name);
      if (column == nullptr) return ParameterProblem("select", "it is of columns");
      AddOnce(column, &list_.columns);
    }
    return {};
  }

  Problem Limit(const std::string& value) {
    list_.all = value == "all";
    if (list_.all) return {};
    const char* end = value.data() + value.size();
    const auto [at, error] = std::from_chars(value.data(), end, list_.limit);
    if (error != std::errc() || at != end || list_.limit < 1 || list_.limit > options_.max_limit) {
      return ParameterProblem("limit",
                              absl::StrCat("it is \"all\", or from 1 to ", options_.max_limit));
    }
    return {};
  }

  Problem Count(const std::string& value) {
    list_.count = value == "exact";
    return list_.count ? Problem() : ParameterProblem("count", "it is exact");
  }

  Problem After(const std::string& value) {
    after_ = value;
    return {};
  }

  Problem Finish() {
    for (std::size_t i = 0; i < table_.key_count; ++i) {
      AddOnce(&table_.columns[table_.key[i]], &list_.cursor);
    }
    if (list_.columns.empty()) {
      for (const Column& column : table_.columns) list_.columns.push_back(&column);
    }
    list_.read = list_.columns;
    for (const Column* column : list_.cursor) AddOnce(column, &list_.read);
    for (const Column* column : list_.read) {
      list_.select.results.push_back(ColumnTerm(table_, column->offset));
    }
    if (after_) {
      if (Problem problem = ReadAfter(); !problem.ok()) return problem;
    }
    // Pages need some order.
    if (list_.select.order.empty()) {
      for (const Column* column : list_.cursor) {
        list_.select.order.push_back({ColumnTerm(table_, column->offset), false});
      }
    }
    return {};
  }

  Problem ReadAfter() {
    auto row = std::make_shared<Row>(table_);
    if (after_->starts_with('{')) {
      if (!orm::internal::ReadJson(*after_, {}, type_, row->get()).ok()) {
        return ParameterProblem("after", "it is no cursor of this table");
      }
    } else if (!list_.select.order.empty()) {
      return ParameterProblem("after", "with an order it is a cursor");
    } else if (!ReadKey(*after_, row.get()).ok()) {
      return ParameterProblem("after", "it is no key of this table");
    }
    const void* memory = row->get();
    list_.select.after = std::shared_ptr<const void>(std::move(row), memory);
    return {};
  }

  const TableInfo& table_;
  const TypeInfo& type_;
  const Options& options_;
  ListQuery& list_;
  std::array<bool, 5> seen_{};
  std::optional<std::string> after_;
};

}  // namespace

Problem ReadListQuery(std::string_view query, const TableInfo& table, const TypeInfo& type,
                      const Options& options, ListQuery* result) {
  return Reader(table, type, options, result).Read(query);
}

absl::StatusOr<std::string> QueryAfter(std::string_view query, const ListQuery& list,
                                       const Row& row) {
  std::string cursor = "{";
  for (const Column* column : list.cursor) {
    absl::StrAppend(&cursor, cursor.size() > 1 ? "," : "", "\"", column->name, "\":");
    const void* field = static_cast<const char*>(row.get()) + column->offset;
    absl::Status status = orm::internal::AppendJson(*column->type, field, &cursor);
    if (!status.ok()) return status;
  }
  cursor += '}';
  std::string next;
  for (const http::QueryView::Pair& pair : http::QueryView(query)) {
    const auto name = Decode(pair.name);
    const auto value = Decode(pair.value);
    if (!name || !value || *name == "after") continue;
    absl::StrAppend(&next, http::PercentEncode(*name, http::UriPart::kForm), "=",
                    http::PercentEncode(*value, http::UriPart::kForm), "&");
  }
  return absl::StrCat(next, "after=", http::PercentEncode(cursor, http::UriPart::kForm));
}

}  // namespace strata::orm::rest::internal
