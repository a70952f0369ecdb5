// File: relation.h
//
// Rows that belong together, for many rows at once: one query for each relation (and each 500
// rows), and not one for each row.
//
//   struct Author {
//     std::int64_t id = 0;
//     std::string name;
//     std::vector<Book> books;  // Not in STRATA_TABLE: no column, but a place for what is loaded.
//   };
//
//   absl::StatusOr<std::vector<Author>> authors = Select<Author>().Limit(100).All(*db);
//   // Each author's books, by the reference of a book to its author.
//   absl::Status status = LoadMany(*db, &*authors, &Author::books, &Book::author,
//                                  Select<Book>().OrderBy(&Book::title));
//   // Or each book's author, into a std::optional<Author>.
//   status = LoadOne(*db, &books, &Book::written_by, &Book::author);
//
// Where both sides are many, a table of links has a row for each pair. Links<> describes one:
//
//   using Tagged = Links<Book, Tag>;  // Its table is "books_tags"; add it to the Schema.
//   status = Link<Book, Tag>(*db, book.id, tag.id);
//   status = LoadThrough(*db, &books, &Book::tags, &Tagged::left, &Tagged::right);
//   status = LoadThrough(*db, &tags, &Tag::books, &Tagged::right, &Tagged::left);
//
// or the program does, with columns of its own besides the two references.
//
// What is loaded into is a row or a vector of rows; what was there before goes. References have
// References<>(), and so refer to keys of one column, of any type. Several queries see one state of
// the database if `records` is a Transaction. After an error part of the rows may be loaded.

#ifndef STRATA_ORM_RELATION_H_
#define STRATA_ORM_RELATION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "strata/orm/database.h"
#include "strata/orm/select.h"
#include "strata/orm/table.h"

namespace strata::orm {
namespace internal {

// Which rows have a value, by the value. They stay where they are meanwhile.
class ValueIndex {
 public:
  // Values are equal as the database compares those of this column.
  explicit ValueIndex(const Column& compared_with) : column_(compared_with) {}

  // Null, for NULL, is equal to none.
  void Add(const TypeInfo& type, const void* value, std::size_t row);
  std::span<const std::size_t> Rows(const TypeInfo& type, const void* value) const;

  // Of all that are different.
  const std::vector<Argument>& values() const { return values_; }

 private:
  std::string KeyOf(const TypeInfo& type, const void* value) const;

  const Column& column_;
  std::unordered_map<std::string, std::vector<std::size_t>> rows_;
  std::vector<Argument> values_;
};

// Runs the query for those rows whose `column` has a value of the index; its results are that
// column, and all columns of the query's table.
absl::Status SelectRelated(RowStore& store, const SelectOperation& query, const Term& column,
                           const ValueIndex& index, std::span<const ResultField> fields,
                           RowSink& sink);

// OK if the term is a column that refers to the table.
absl::Status CheckReference(const Term& column, const TableInfo& table);

template <typename Row>
std::span<Row> RowsIn(std::vector<Row>* rows) {
  return *rows;
}
template <typename Row>
std::span<Row> RowsIn(Row* row) {
  return {row, 1};
}

template <typename Value>
void PutInto(std::vector<Value>& place, const Value& value) {
  place.push_back(value);
}
template <typename Value>
void PutInto(std::optional<Value>& place, const Value& value) {
  place = value;
}
template <typename Value>
void Empty(std::vector<Value>& place) {
  place.clear();
}
template <typename Value>
void Empty(std::optional<Value>& place) {
  place.reset();
}

// Gets related rows, each with the value by which it belongs to others, and puts them there.
template <typename Owner, typename Place, typename Related, typename Value>
class RelatedSink : public RowSink {
 public:
  struct Row {
    Value value{};
    Related related{};
  };

  RelatedSink(std::span<Owner> owners, Place Owner::*place, const ValueIndex& index)
      : owners_(owners), place_(place), index_(index) {
    const char* begin = reinterpret_cast<const char*>(&row_);
    fields_[0] = {&kTypeInfo<Value>, Offset(begin, &row_.value)};
    for (std::size_t i = 1; i < fields_.size(); ++i) {
      fields_[i] = kFieldsOf<Related>[i - 1];
      fields_[i].offset += Offset(begin, &row_.related);
    }
  }

  std::span<const ResultField> fields() const { return fields_; }

  void* Next() override {
    row_ = Row();
    return &row_;
  }
  absl::Status Take(bool*) override {
    for (const std::size_t owner : index_.Rows(kTypeInfo<Value>, &row_.value)) {
      PutInto(owners_[owner].*place_, row_.related);
    }
    return absl::OkStatus();
  }

 private:
  static std::size_t Offset(const char* begin, const void* field) {
    return static_cast<std::size_t>(static_cast<const char*>(field) - begin);
  }

  const std::span<Owner> owners_;
  Place Owner::*const place_;
  const ValueIndex& index_;
  Row row_;
  std::array<ResultField, kFieldsOf<Related>.size() + 1> fields_;
};

// `from` is the owners' column whose values are to be equal to those of `column` in the query,
// which are of the type Value.
template <typename Value, typename Related, typename Owner, typename Place>
absl::Status LoadRelated(Records& records, std::span<Owner> owners, Place Owner::*place,
                         const Column& from, const SelectOperation& query, const Term& column) {
  ValueIndex index(*column.column);
  for (std::size_t i = 0; i < owners.size(); ++i) {
    Empty(owners[i].*place);
    index.Add(*from.value, from.Value(&owners[i]), i);
  }
  RelatedSink<Owner, Place, Related, Value> sink(owners, place, index);
  return SelectRelated(StoreOf(records), query, column, index, sink.fields(), sink);
}

template <typename T>
constexpr const Column& KeyColumn() {
  static_assert(TableOf<T>().key_count == 1, "a relation is by a key of one column");
  return TableOf<T>().key_column();
}

template <typename T, typename Reference>
constexpr void CheckFitsKey() {
  static_assert(FitsType<typename WithoutOptional<Reference>::Type>(*KeyColumn<T>().value),
                "the reference is not of the type of the table's key");
}

}  // namespace internal

// Into each owner, the rows whose `reference` is its key. `query` says which of them, and in what
// order; it has no limit, groups or columns of its own.
template <typename Owners, typename Owner, typename Related, typename Reference>
absl::Status LoadMany(Records& records, Owners* owners, std::vector<Related> Owner::*place,
                      Reference Related::*reference,
                      const Select<std::type_identity_t<Related>>& query = {}) {
  internal::CheckFitsKey<Owner, Reference>();
  const internal::Term column = Col(reference).term();
  absl::Status status = internal::CheckReference(column, TableOf<Owner>());
  if (!status.ok()) return status;
  return internal::LoadRelated<Reference, Related>(records, internal::RowsIn<Owner>(owners), place,
                                                   internal::KeyColumn<Owner>(), query.operation(),
                                                   column);
}

// Into each owner, the row that its `reference` refers to; it stays empty if that does not refer to
// any, or not to one of the query.
template <typename Owners, typename Owner, typename Related, typename Reference>
absl::Status LoadOne(Records& records, Owners* owners, std::optional<Related> Owner::*place,
                     Reference Owner::*reference,
                     const Select<std::type_identity_t<Related>>& query = {}) {
  internal::CheckFitsKey<Related, Reference>();
  using Plain = typename internal::WithoutOptional<Reference>::Type;
  const internal::Term from = Col(reference).term();
  absl::Status status = internal::CheckReference(from, TableOf<Related>());
  if (!status.ok()) return status;
  const internal::Term key =
      internal::ColumnTerm(TableOf<Related>(), internal::KeyColumn<Related>().offset);
  return internal::LoadRelated<Plain, Related>(records, internal::RowsIn<Owner>(owners), place,
                                               *from.column, query.operation(), key);
}

// Into each owner, the rows that are linked to it: by rows of another table, whose `near` refers to
// the owner and whose `far` refers to the row.
template <typename Owners, typename Owner, typename Related, typename Pair, typename Near,
          typename Far>
absl::Status LoadThrough(Records& records, Owners* owners, std::vector<Related> Owner::*place,
                         Near Pair::*near, Far Pair::*far,
                         const Select<std::type_identity_t<Related>>& query = {}) {
  internal::CheckFitsKey<Owner, Near>();
  internal::CheckFitsKey<Related, Far>();
  const internal::Term column = Col(near).term();
  const internal::Term other = Col(far).term();
  absl::Status status = internal::CheckReference(column, TableOf<Owner>());
  if (status.ok()) status = internal::CheckReference(other, TableOf<Related>());
  if (!status.ok()) return status;
  internal::SelectOperation operation = query.operation();
  operation.joins.push_back({.table = &TableOf<Pair>(),
                             .is_left = false,
                             .by_reference = true,
                             .reference = other.column});
  return internal::LoadRelated<Near, Related>(records, internal::RowsIn<Owner>(owners), place,
                                              internal::KeyColumn<Owner>(), operation, column);
}

// A pair of rows, A's and B's, as a row of the table "a_b", of their tables' names. It goes when
// one of the two does.
template <typename A, typename B>
struct Links;

namespace internal {

// The type of a table's key.
template <typename T>
constexpr auto KeyType() {
  constexpr Kind kKind = KeyColumn<T>().value->kind;
  if constexpr (kKind == Kind::kInt8)
    return std::type_identity<std::int8_t>();
  else if constexpr (kKind == Kind::kInt16)
    return std::type_identity<std::int16_t>();
  else if constexpr (kKind == Kind::kInt32)
    return std::type_identity<std::int32_t>();
  else if constexpr (kKind == Kind::kInt64)
    return std::type_identity<std::int64_t>();
  else if constexpr (kKind == Kind::kUint8)
    return std::type_identity<std::uint8_t>();
  else if constexpr (kKind == Kind::kUint16)
    return std::type_identity<std::uint16_t>();
  else if constexpr (kKind == Kind::kUint32)
    return std::type_identity<std::uint32_t>();
  else if constexpr (kKind == Kind::kUint64)
    return std::type_identity<std::uint64_t>();
  else if constexpr (kKind == Kind::kString)
    return std::type_identity<std::string>();
  else if constexpr (kKind == Kind::kUuid)
    return std::type_identity<Uuid>();
  else if constexpr (kKind == Kind::kBlob)
    return std::type_identity<Blob>();
  else if constexpr (kKind == Kind::kCurrency)
    return std::type_identity<Currency>();
  else
    static_assert(sizeof(T) == 0, "Links<> is not for keys of times; describe a table of links");
}
template <typename T>
using KeyOf = typename decltype(KeyType<T>())::type;

template <typename T>
constexpr Column LinkColumn(std::string_view name, std::size_t offset) {
  Column column = MakeColumn<KeyOf<T>>(name, offset,
                                       {options::PrimaryKey(), options::References<T>(),
                                        options::OnDelete(ForeignKeyAction::kCascade),
                                        options::OnUpdate(ForeignKeyAction::kCascade)});
  const Column& key = KeyColumn<T>();
  column.flags |= key.flags & Column::kAsText;
  column.storage = key.storage;
  column.collation = key.collation;
  return column;
}

template <typename A, typename B>
struct LinksDescription {
  static constexpr std::string_view kA = TableOf<A>().name;
  static constexpr std::string_view kB = TableOf<B>().name;
  static constexpr auto kNameText = [] {
    std::array<char, kA.size() + 1 + kB.size()> text{};
    std::size_t next = 0;
    for (const char c : kA) text[next++] = c;
    text[next++] = '_';
    for (const char c : kB) text[next++] = c;
    return text;
  }();
  static constexpr std::string_view kName{kNameText.data(), kNameText.size()};
  static constexpr bool kNeedsKey = true;

  // The key finds the links of A, the index those of B.
  static constexpr auto Options() { return OptionArray(options::Index("right_key")); }
  static constexpr auto Columns() {
    using Pair = Links<A, B>;
    return std::array{LinkColumn<A>("left_key", offsetof(Pair, left)),
                      LinkColumn<B>("right_key", offsetof(Pair, right))};
  }
};

}  // namespace internal

template <typename A, typename B>
struct Links {
  internal::KeyOf<A> left{};   // The column left_key.
  internal::KeyOf<B> right{};  // The column right_key.
};

template <typename A, typename B>
internal::LinksDescription<A, B> StrataOrmDescribe(const Links<A, B>*);

// Adds the pair, if it is not there yet. FailedPrecondition if one of the rows is not.
template <typename A, typename B>
absl::Status Link(Records& records, const internal::KeyOf<A>& left,
                  const internal::KeyOf<B>& right) {
  Links<A, B> links{left, right};
  return records.Upsert(&links);
}

// NotFound if the pair is not there.
template <typename A, typename B>
absl::Status Unlink(Records& records, const internal::KeyOf<A>& left,
                    const internal::KeyOf<B>& right) {
  return records.Delete<Links<A, B>>(left, right);
}

}  // namespace strata::orm

#endif  // STRATA_ORM_RELATION_H_
