#include <algorithm>
#include <span>

#include "absl/strings/str_cat.h"
#include "strata/orm/schema_sql_internal.h"
#include "strata/orm/sqlite_sql_writer_internal.h"

namespace strata::orm::internal {
namespace {

std::string TextName(const TableInfo& table) { return absl::StrCat(table.name, "#text"); }

Argument FieldOf(const Column& column, const void* row) {
  return {column.value, column.Value(row), {}, column.has(Column::kAsText)};
}

}  // namespace

void SqlWriter::Refuse(std::string_view why) {
  if (status_.ok()) status_ = absl::InvalidArgumentError(why);
}

absl::Status SqlWriter::Select(const SelectOperation& operation) {
  using What = SelectOperation::What;
  const bool is_plain = operation.group.empty() && !operation.distinct &&
                        operation.having.empty() && !operation.limit && operation.offset == 0;
  // Counting the rows of a query within is what always works; SQLite counts those of a table, or of
  // an index, without.
  const bool counts_rows = operation.what == What::kCount && is_plain && operation.results.empty();
  if (operation.what == What::kCount && !counts_rows) sql_ += "SELECT count(*) FROM (";
  if (operation.what == What::kExists) sql_ += "SELECT EXISTS (";
  // The tables have to be known before columns are written, but stand behind them.
  std::string from;
  tables_.push_back(operation.table);
  std::swap(sql_, from);
  From(operation);
  std::swap(sql_, from);
  sql_ += operation.distinct ? "SELECT DISTINCT " : "SELECT ";
  if (counts_rows) {
    sql_ += "count(*)";
  } else if (!operation.results.empty()) {
    List("", operation.results, ", ");
  } else if (operation.what != What::kRows && !operation.distinct) {
    sql_ += "1";
  } else {
    for (const Column& column : operation.table->columns) {
      if (&column != operation.table->columns.data()) sql_ += ", ";
      Name(*operation.table, column);
    }
  }
  sql_ += from;
  Conditions(operation);
  if (operation.what == What::kRows) Order(operation);
  if (operation.limit || operation.offset != 0) {
    constexpr static std::int64_t kAll = -1;
    if (operation.limit.value_or(0) < 0 || operation.offset < 0) Refuse("a limit below 0");
    sql_ += " LIMIT ";
    Value(MakeArgument(operation.limit ? *operation.limit : kAll));
    sql_ += " OFFSET ";
    Value(MakeArgument(operation.offset));
  }
  if (operation.what == What::kExists || (operation.what == What::kCount && !counts_rows)) {
    sql_ += ")";
  }
  return status_;
}

absl::Status SqlWriter::Where(const TableInfo& table, const Term& condition) {
  tables_.push_back(&table);
  sql_ += " WHERE ";
  Write(condition);
  return status_;
}

void SqlWriter::From(const SelectOperation& operation) {
  absl::StrAppend(&sql_, " FROM ", Quoted(operation.table->name));
  for (const JoinedTable& join : operation.joins) Join(join);
  JoinMatches(operation);
}

void SqlWriter::Join(const JoinedTable& join) {
  const TableInfo& table = *join.table;
  if (std::find(tables_.begin(), tables_.end(), &table) != tables_.end()) {
    return Refuse(absl::StrCat(table.name, " is in the query twice"));
  }
  struct {
    const TableInfo* from = nullptr;
    const Column* column = nullptr;
    const TableInfo* to = nullptr;
    int count = 0;
  } found;
  const auto look = [&](const TableInfo& from, const TableInfo& to) {
    for (const Column& column : from.columns) {
      if (column.references == nullptr || &column.references() != &to) continue;
      if (join.by_reference && join.reference != &column) continue;
      found = {&from, &column, &to, found.count + 1};
    }
  };
  for (const TableInfo* other : tables_) {
    look(*other, table);
    look(table, *other);
  }
  if (found.count == 0)
    return Refuse(absl::StrCat("no such reference between ", table.name, " and the tables before"));
  if (found.count > 1) {
    return Refuse(absl::StrCat("there are several references between ", table.name,
                               " and the tables before: Join() has to name the field"));
  }
  tables_.push_back(&table);
  if (found.from == &table && !found.column->has(Column::kUnique)) multiplies_ = true;
  absl::StrAppend(&sql_, join.is_left ? " LEFT JOIN " : " JOIN ", Quoted(table.name), " ON ");
  Name(*found.from, *found.column);
  sql_ += " = ";
  Name(*found.to, found.to->key_column());
}

void SqlWriter::Conditions(const SelectOperation& operation) {
  if (!operation.where.empty()) {
    List(" WHERE ", operation.where, " AND ");
  }
  if (operation.after != nullptr) {
    sql_ += operation.where.empty() ? " WHERE " : " AND ";
    const std::vector<OrderTerm> order = WholeOrder(operation);
    const bool is_of_rows = std::all_of(order.begin(), order.end(), [&](const OrderTerm& each) {
      return each.term.op == Op::kColumn && each.term.table == operation.table;
    });
    if (!operation.group.empty() || operation.distinct || multiplies_ || !is_of_rows) {
      return Refuse("After() is for rows of one table, in the order of its columns");
    }
    AfterAtOnce(order, operation.after.get());
  }
  if (!operation.group.empty()) List(" GROUP BY ", operation.group, ", ");
  if (!operation.having.empty()) List(" HAVING ", operation.having, " AND ");
}

// Where SQLite can, one comparison of all columns: it is what an index finds at once.
void SqlWriter::AfterAtOnce(const std::vector<OrderTerm>& order, const void* row) {
  const bool descending = order.front().descending;
  const bool can = std::all_of(order.begin(), order.end(), [&](const OrderTerm& each) {
    return each.descending == descending && !each.term.column->nullable();
  });
  if (!can) return After(order, row, 0);
  sql_ += "(";
  for (const OrderTerm& each : order) {
    if (&each != &order.front()) sql_ += ", ";
    Write(each.term);
  }
  sql_ += descending ? ") < (" : ") > (";
  for (const OrderTerm& each : order) {
    if (&each != &order.front()) sql_ += ", ";
    Value(FieldOf(*each.term.column, row));
  }
  sql_ += ")";
}

void SqlWriter::After(const std::vector<OrderTerm>& order, const void* row, std::size_t at) {
  const OrderTerm& each = order[at];
  const Argument value = FieldOf(*each.term.column, row);
  const bool is_null = value.value == nullptr;
  // NULL comes before all, or after all.
  sql_ += "(";
  if (is_null && each.descending) {
    sql_ += "0";
  } else {
    Write(each.term);
    if (is_null) {
      sql_ += " IS NOT NULL";
    } else {
      sql_ += each.descending ? " < " : " > ";
      Value(value);
      if (each.descending && each.term.column->nullable()) {
        sql_ += " OR ";
        Write(each.term);
        sql_ += " IS NULL";
      }
    }
  }
  if (at + 1 < order.size()) {
    sql_ += " OR (";
    Write(each.term);
    if (is_null) {
      sql_ += " IS NULL";
    } else {
      sql_ += " = ";
      Value(value);
    }
    sql_ += " AND ";
    After(order, row, at + 1);
    sql_ += ")";
  }
  sql_ += ")";
}

void SqlWriter::Order(const SelectOperation& operation) {
  if (operation.order.empty() && operation.after == nullptr) return;
  const std::vector<OrderTerm> order =
      operation.group.empty() && !operation.distinct ? WholeOrder(operation) : operation.order;
  sql_ += " ORDER BY ";
  for (const OrderTerm& each : order) {
    if (&each != &order.front()) sql_ += ", ";
    Write(each.term);
    if (each.descending) sql_ += " DESC";
  }
}

void SqlWriter::Name(const TableInfo& table, const Column& column) {
  if (std::find(tables_.begin(), tables_.end(), &table) == tables_.end()) {
    return Refuse(absl::StrCat(table.name, " is not in the query"));
  }
  absl::StrAppend(&sql_, Quoted(table.name), ".", Quoted(column.name));
}

void SqlWriter::Value(const Argument& argument) {
  sql_ += "?";
  arguments_.push_back(argument);
}

void SqlWriter::List(std::string_view before, const std::vector<Term>& terms,
                     std::string_view between) {
  sql_ += before;
  for (const Term& term : terms) {
    if (&term != &terms.front()) sql_ += between;
    Write(term);
  }
}

void SqlWriter::Binary(const Term& term, std::string_view op) {
  Write(term.operands[0]);
  sql_ += op;
  Write(term.operands[1]);
}

void SqlWriter::Function(const Term& term, std::string_view name) {
  List(absl::StrCat(name, "("), term.operands, ", ");
  sql_ += ")";
}

// The number of values is rounded up to a power of 2, by the last one again, so that few statements
// do for lists of all sizes.
void SqlWriter::In(const Term& term) {
  if (term.operands.size() == 1) {
    sql_ += "0";
    return;
  }
  const std::size_t count = term.operands.size() - 1;
  Write(term.operands[0]);
  sql_ += " IN (";
  for (std::size_t i = 0, end = 1; i < count || i < end; ++i) {
    while (end < count) end *= 2;
    if (i != 0) sql_ += ", ";
    Write(term.operands[1 + std::min(i, count - 1)]);
  }
  sql_ += ")";
}

void SqlWriter::JoinMatches(const SelectOperation& operation) {
  for (const Term& term : operation.where) {
    if (term.op != Op::kMatch) continue;
    const bool is_joined = std::any_of(matches_.begin(), matches_.end(),
                                       [&](const Term* each) { return each->table == term.table; });
    if (is_joined) continue;
    const std::string text = Quoted(TextName(*term.table));
    absl::StrAppend(&sql_, " JOIN ", text, " ON ", text, ".rowid = ");
    Name(*term.table, term.table->key_column());
    matches_.push_back(&term);
  }
}

bool SqlWriter::HasMatch(const TableInfo& table) {
  for (const Term* match : matches_) {
    if (match->table == &table) return true;
  }
  Refuse(absl::StrCat(table.name, ": the query has no condition that is a Match()"));
  return false;
}

void SqlWriter::Match(const Term& term) {
  const std::string text = Quoted(TextName(*term.table));
  const bool is_joined = std::find(matches_.begin(), matches_.end(), &term) != matches_.end();
  if (!is_joined) {
    Name(*term.table, term.table->key_column());
    absl::StrAppend(&sql_, " IN (SELECT rowid FROM ", text, " WHERE ");
  }
  absl::StrAppend(&sql_, text, " MATCH ");
  Write(term.operands[0]);
  if (!is_joined) sql_ += ")";
}

void SqlWriter::TextFunction(const Term& term, std::string_view name) {
  const Term& column = term.operands[0];
  if (column.op != Op::kColumn) return Write(column);
  const IndexInfo& info = column.table->full_text;
  const auto* begin = info.columns.begin();
  const auto* end = begin + info.column_count;
  const auto* found = std::find(begin, end, column.column->name);
  if (found == end) return Refuse("a column is not one of FullText()");
  if (!HasMatch(*column.table)) return;
  absl::StrAppend(&sql_, name, "(", Quoted(TextName(*column.table)), ", ", found - begin);
  for (const Term& operand : std::span(term.operands).subspan(1)) {
    sql_ += ", ";
    Write(operand);
  }
  sql_ += ")";
}

// The tree finds what overlaps, with numbers that are rounded; then the rows' own count.
void SqlWriter::Boxes(const Term& term) {
  const TableInfo& table = *term.table;
  const bool is_within = term.op == Op::kWithin;
  sql_ += "(";
  Name(table, table.key_column());
  absl::StrAppend(&sql_, " IN (SELECT id FROM ", Quoted(absl::StrCat(table.name, "#boxes")));
  for (std::size_t i = 0; i < term.operands.size(); i += 2) {
    absl::StrAppend(&sql_, i == 0 ? " WHERE max" : " AND max", i / 2, " >= ");
    Write(term.operands[i]);
    absl::StrAppend(&sql_, " AND min", i / 2, " <= ");
    Write(term.operands[i + 1]);
  }
  sql_ += ")";
  for (std::size_t i = 0; i < term.operands.size(); ++i) {
    // To overlap, the row's greatest number is compared with the least one of the box.
    const std::size_t of_row = is_within ? i : i ^ 1;
    sql_ += " AND ";
    Name(table, *table.Find(table.boxes.columns[of_row]));
    sql_ += i % 2 == 0 ? " >= " : " <= ";
    Write(term.operands[i]);
  }
  sql_ += ")";
}

void SqlWriter::Write(const Term& term) {
  switch (term.op) {
    case Op::kInvalid:
      return Refuse(term.argument.text);
    case Op::kColumn:
      return Name(*term.table, *term.column);
    case Op::kValue:
      return Value(term.argument);
    case Op::kAnd:
    case Op::kOr: {
      const bool is_and = term.op == Op::kAnd;
      if (term.operands.empty()) {
        sql_ += is_and ? "1" : "0";
        return;
      }
      List("(", term.operands, is_and ? " AND " : " OR ");
      sql_ += ")";
      return;
    }
    case Op::kNot:
      return Function(term, "NOT ");
    case Op::kEqual:
      return Binary(term, " = ");
    case Op::kNotEqual:
      return Binary(term, " <> ");
    case Op::kLess:
      return Binary(term, " < ");
    case Op::kLessOrEqual:
      return Binary(term, " <= ");
    case Op::kGreater:
      return Binary(term, " > ");
    case Op::kGreaterOrEqual:
      return Binary(term, " >= ");
    case Op::kLike:
      Binary(term, " LIKE ");
      sql_ += " ESCAPE '\\'";
      return;
    case Op::kIn:
      return In(term);
    case Op::kBetween:
      Write(term.operands[0]);
      sql_ += " BETWEEN ";
      Write(term.operands[1]);
      sql_ += " AND ";
      Write(term.operands[2]);
      return;
    case Op::kIsNull:
      Write(term.operands[0]);
      sql_ += " IS NULL";
      return;
    case Op::kJsonValue:
      return Function(term, "json_extract");
    case Op::kCount:
      if (term.operands.empty()) {
        sql_ += "count(*)";
        return;
      }
      return Function(term, "count");
    case Op::kSum:
      return Function(term, "sum");
    case Op::kMin:
      return Function(term, "min");
    case Op::kMax:
      return Function(term, "max");
    case Op::kAvg:
      return Function(term, "avg");
    case Op::kMatch:
      return Match(term);
    case Op::kRank:
      if (!HasMatch(*term.table)) return;
      absl::StrAppend(&sql_, Quoted(TextName(*term.table)), ".rank");
      return;
    case Op::kSnippet:
      return TextFunction(term, "snippet");
    case Op::kHighlight:
      return TextFunction(term, "highlight");
    case Op::kOverlaps:
    case Op::kWithin:
      return Boxes(term);
  }
}

}  // namespace strata::orm::internal
