// File: table_macros.h
//
// STRATA_TABLE, STRATA_STRUCT and STRATA_ENUM; table.h says what they are for, and includes this.
//
// Beside the struct they declare a function for argument-dependent lookup, whose result is a type
// that has the description. Each field is checked by itself, so that a complaint can name it.

#ifndef STRATA_ORM_TABLE_MACROS_H_
#define STRATA_ORM_TABLE_MACROS_H_

#include <cstddef>

// `macro(context, element)` for each element, at most 256 of them.
#define STRATA_ORM_INTERNAL_PARENS ()
#define STRATA_ORM_INTERNAL_EXPAND(...)                    \
  STRATA_ORM_INTERNAL_EXPAND3(STRATA_ORM_INTERNAL_EXPAND3( \
      STRATA_ORM_INTERNAL_EXPAND3(STRATA_ORM_INTERNAL_EXPAND3(__VA_ARGS__))))
#define STRATA_ORM_INTERNAL_EXPAND3(...)                   \
  STRATA_ORM_INTERNAL_EXPAND2(STRATA_ORM_INTERNAL_EXPAND2( \
      STRATA_ORM_INTERNAL_EXPAND2(STRATA_ORM_INTERNAL_EXPAND2(__VA_ARGS__))))
#define STRATA_ORM_INTERNAL_EXPAND2(...)                   \
  STRATA_ORM_INTERNAL_EXPAND1(STRATA_ORM_INTERNAL_EXPAND1( \
      STRATA_ORM_INTERNAL_EXPAND1(STRATA_ORM_INTERNAL_EXPAND1(__VA_ARGS__))))
#define STRATA_ORM_INTERNAL_EXPAND1(...)                   \
  STRATA_ORM_INTERNAL_EXPAND0(STRATA_ORM_INTERNAL_EXPAND0( \
      STRATA_ORM_INTERNAL_EXPAND0(STRATA_ORM_INTERNAL_EXPAND0(__VA_ARGS__))))
#define STRATA_ORM_INTERNAL_EXPAND0(...) __VA_ARGS__
#define STRATA_ORM_INTERNAL_EACH(macro, context, ...) \
  __VA_OPT__(STRATA_ORM_INTERNAL_EXPAND(STRATA_ORM_INTERNAL_EACH_STEP(macro, context, __VA_ARGS__)))
#define STRATA_ORM_INTERNAL_EACH_STEP(macro, context, element, ...) \
  macro(context, element) __VA_OPT__(                               \
      STRATA_ORM_INTERNAL_EACH_AGAIN STRATA_ORM_INTERNAL_PARENS(macro, context, __VA_ARGS__))
#define STRATA_ORM_INTERNAL_EACH_AGAIN() STRATA_ORM_INTERNAL_EACH_STEP

// (a, b) and a become: a, b and a.
#define STRATA_ORM_INTERNAL_BARE(x) STRATA_ORM_INTERNAL_BARE_ESCAPE(STRATA_ORM_INTERNAL_BARE_KEEP x)
#define STRATA_ORM_INTERNAL_BARE_KEEP(...) STRATA_ORM_INTERNAL_BARE_KEEP __VA_ARGS__
#define STRATA_ORM_INTERNAL_BARE_ESCAPE(...) STRATA_ORM_INTERNAL_BARE_ESCAPE2(__VA_ARGS__)
#define STRATA_ORM_INTERNAL_BARE_ESCAPE2(...) STRATA_ORM_INTERNAL_DROP_##__VA_ARGS__
#define STRATA_ORM_INTERNAL_DROP_STRATA_ORM_INTERNAL_BARE_KEEP

// The options by their short names, whatever else has these names where the macro stands. The
// struct may be such a thing too: StrataOrmRow stands for it.
#define STRATA_ORM_INTERNAL_OPTIONS            \
  using ::strata::orm::options::AsText;        \
  using ::strata::orm::options::Autoincrement; \
  using ::strata::orm::options::Boxes;         \
  using ::strata::orm::options::Check;         \
  using ::strata::orm::options::Collate;       \
  using ::strata::orm::options::CreatedAt;     \
  using ::strata::orm::options::Default;       \
  using ::strata::orm::options::DefaultSql;    \
  using ::strata::orm::options::Filter;        \
  using ::strata::orm::options::FullText;      \
  using ::strata::orm::options::Generated;     \
  using ::strata::orm::options::Index;         \
  using ::strata::orm::options::Indexed;       \
  using ::strata::orm::options::LogChanges;    \
  using ::strata::orm::options::MaxLength;     \
  using ::strata::orm::options::ModifiedAt;    \
  using ::strata::orm::options::Named;         \
  using ::strata::orm::options::NotNull;       \
  using ::strata::orm::options::OnDelete;      \
  using ::strata::orm::options::OnUpdate;      \
  using ::strata::orm::options::PrimaryKey;    \
  using ::strata::orm::options::References;    \
  using ::strata::orm::options::Stored;        \
  using ::strata::orm::options::Unique;        \
  using ::strata::orm::options::UniqueIndex;   \
  using ::strata::orm::options::Validate;      \
  using ::strata::orm::options::Version;       \
  using ::strata::orm::options::kCascade;      \
  using ::strata::orm::options::kNoAction;     \
  using ::strata::orm::options::kRestrict;     \
  using ::strata::orm::options::kSetDefault;   \
  using ::strata::orm::options::kSetNull;

#define STRATA_ORM_INTERNAL_COUNT(context, element) +1

#define STRATA_ORM_INTERNAL_REFUSE(problem, type, name, why) \
  static_assert(found != ::strata::orm::internal::Problem::problem, #type "." #name ": " why);

#define STRATA_ORM_INTERNAL_FIELD(type, element) \
  STRATA_ORM_INTERNAL_FIELD2(type, STRATA_ORM_INTERNAL_BARE(element))
#define STRATA_ORM_INTERNAL_FIELD2(...) STRATA_ORM_INTERNAL_FIELD3(__VA_ARGS__)
#define STRATA_ORM_INTERNAL_FIELD3(type, name, ...)                                               \
  {                                                                                               \
    namespace impl = ::strata::orm::internal;                                                     \
    using FieldType = decltype(StrataOrmRow::name);                                               \
    static_assert(                                                                                \
        !impl::kIsView<FieldType>,                                                                \
        #type "." #name                                                                           \
              ": a pointer, view or array cannot be a column; use std::string or std::vector");   \
    static_assert(impl::kIsView<FieldType> ||                                                     \
                      ::strata::orm::kTypeInfo<FieldType>.kind != ::strata::orm::Kind::kNone,     \
                  #type                                                                           \
                  "." #name                                                                       \
                  ": this type cannot be a column; strata/orm/type_info.h lists those that can, " \
                  "and STRATA_STRUCT adds a struct to them");                                     \
    if constexpr (::strata::orm::kTypeInfo<FieldType>.kind != ::strata::orm::Kind::kNone) {       \
      static_assert(std::is_same_v<decltype(&StrataOrmRow::name), FieldType StrataOrmRow::*>,     \
                    #type "." #name ": the field of a base class cannot be a column");            \
      constexpr ::strata::orm::Column column =                                                    \
          impl::MakeColumn<FieldType>(#name, offsetof(StrataOrmRow, name), {__VA_ARGS__});        \
      constexpr impl::Problem found = impl::ProblemOf(column, {__VA_ARGS__});                     \
      STRATA_ORM_INTERNAL_REFUSE(kLengthOfNumber, type, name,                                     \
                                 "MaxLength() is for std::string and Blob")                       \
      STRATA_ORM_INTERNAL_REFUSE(kCollationOfNumber, type, name, "Collate() is for texts")        \
      STRATA_ORM_INTERNAL_REFUSE(kTimeOfOther, type, name,                                        \
                                 "CreatedAt() and ModifiedAt() are for std::chrono::sys_time")    \
      STRATA_ORM_INTERNAL_REFUSE(kVersionOfOther, type, name, "Version() is for integers")        \
      STRATA_ORM_INTERNAL_REFUSE(kTextOfOther, type, name,                                        \
                                 "AsText() is for times, Uuid and enums with STRATA_ENUM")        \
      STRATA_ORM_INTERNAL_REFUSE(kAutoincrementOfOther, type, name,                               \
                                 "Autoincrement() is for an integer key")                         \
      STRATA_ORM_INTERNAL_REFUSE(kKeyOfOptional, type, name, "a key cannot be a std::optional")   \
      STRATA_ORM_INTERNAL_REFUSE(kKeyOfOther, type, name,                                         \
                                 "a key is an integer, text, Uuid, Blob, Currency or time")       \
      STRATA_ORM_INTERNAL_REFUSE(kValidatorOfOther, type, name,                                   \
                                 "the lambda of Validate() takes another type than the field's")  \
      STRATA_ORM_INTERNAL_REFUSE(kFilterOfOther, type, name,                                      \
                                 "the lambda of Filter() takes another type than the field's")    \
      STRATA_ORM_INTERNAL_REFUSE(kActionWithoutReference, type, name,                             \
                                 "OnDelete() and OnUpdate() need a References<>()")               \
      STRATA_ORM_INTERNAL_REFUSE(kSetNullOfValue, type, name,                                     \
                                 "kSetNull needs a std::optional without NotNull()")              \
      STRATA_ORM_INTERNAL_REFUSE(kNotForColumns, type, name,                                      \
                                 "Index(), FullText(), Boxes() and LogChanges() are of the "      \
                                 "table; a column has Indexed() or Unique()")                     \
      STRATA_ORM_INTERNAL_REFUSE(kStoredAlone, type, name, "Stored() needs a Generated()")        \
      STRATA_ORM_INTERNAL_REFUSE(kBadName, type, name,                                            \
                                 "a name in SQL has letters, digits and _ alone, 64 at most")     \
      columns[next++] = column;                                                                   \
    }                                                                                             \
  }

#define STRATA_ORM_INTERNAL_REFUSE_TABLE(problem, type, why) \
  static_assert(kFound != ::strata::orm::internal::TableProblem::problem, #type ": " why);

// The name of the description; `type` is one identifier.
#define STRATA_ORM_INTERNAL_DESCRIPTION(type) StrataOrmDescriptionOf_##type

#define STRATA_ORM_INTERNAL_DESCRIBE(needs_key, head, ...) \
  STRATA_ORM_INTERNAL_DESCRIBE2(needs_key, (__VA_ARGS__), STRATA_ORM_INTERNAL_BARE(head))
#define STRATA_ORM_INTERNAL_DESCRIBE2(...) STRATA_ORM_INTERNAL_DESCRIBE3(__VA_ARGS__)
#define STRATA_ORM_INTERNAL_DESCRIBE3(needs_key, fields, type, ...) \
  STRATA_ORM_INTERNAL_DESCRIBE4(needs_key, type, (__VA_ARGS__), STRATA_ORM_INTERNAL_BARE(fields))
#define STRATA_ORM_INTERNAL_DESCRIBE4(...) STRATA_ORM_INTERNAL_DESCRIBE5(__VA_ARGS__)
#define STRATA_ORM_INTERNAL_DESCRIBE5(needs_key, type, table_options, ...)                        \
  struct STRATA_ORM_INTERNAL_DESCRIPTION(type);                                                   \
  STRATA_ORM_INTERNAL_DESCRIPTION(type) StrataOrmDescribe(const type*);                           \
  _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Winvalid-offsetof\"") struct  \
      STRATA_ORM_INTERNAL_DESCRIPTION(type) {                                                     \
    using StrataOrmRow = type;                                                                    \
    static constexpr std::string_view kName = #type;                                              \
    static constexpr bool kNeedsKey = needs_key;                                                  \
    static constexpr auto Options() {                                                             \
      STRATA_ORM_INTERNAL_OPTIONS                                                                 \
      return ::strata::orm::internal::OptionArray table_options;                                  \
    }                                                                                             \
    static constexpr auto Columns() {                                                             \
      STRATA_ORM_INTERNAL_OPTIONS                                                                 \
      std::array<::strata::orm::Column,                                                           \
                 STRATA_ORM_INTERNAL_EACH(STRATA_ORM_INTERNAL_COUNT, , __VA_ARGS__)>              \
          columns{};                                                                              \
      std::size_t next = 0;                                                                       \
      STRATA_ORM_INTERNAL_EACH(STRATA_ORM_INTERNAL_FIELD, type, __VA_ARGS__)                      \
      return columns;                                                                             \
    }                                                                                             \
    static constexpr bool Check() {                                                               \
      STRATA_ORM_INTERNAL_OPTIONS                                                                 \
      constexpr auto kFound = ::strata::orm::internal::FoundProblem<needs_key>(                   \
          Columns(), ::strata::orm::internal::OptionArray table_options);                         \
      STRATA_ORM_INTERNAL_REFUSE_TABLE(kNoKey, type,                                              \
                                       "a table has a column `id`, or one with PrimaryKey()")     \
      STRATA_ORM_INTERNAL_REFUSE_TABLE(kKeyTooLong, type, "a key has at most 4 columns")          \
      STRATA_ORM_INTERNAL_REFUSE_TABLE(                                                           \
          kSameNames, type, "two columns have the same name, but for the case of letters")        \
      STRATA_ORM_INTERNAL_REFUSE_TABLE(kIndexOfNoColumn, type,                                    \
                                       "an Index() names a column that the table does not have")  \
      STRATA_ORM_INTERNAL_REFUSE_TABLE(kTooManyColumns, type, "more than 250 columns")            \
      STRATA_ORM_INTERNAL_REFUSE_TABLE(                                                           \
          kNotForTables, type,                                                                    \
          "of the table are Named(), Index(), UniqueIndex(), Check(), FullText(), Boxes() and "   \
          "LogChanges()")                                                                         \
      STRATA_ORM_INTERNAL_REFUSE_TABLE(                                                           \
          kBadName, type, "a name in SQL has letters, digits and _ alone, 64 at most")            \
      STRATA_ORM_INTERNAL_REFUSE_TABLE(kTwoOfOne, type,                                           \
                                       "two columns with CreatedAt(), ModifiedAt() or Version()") \
      STRATA_ORM_INTERNAL_REFUSE_TABLE(                                                           \
          kIdIsNoKey, type,                                                                       \
          "`id` is no key, which is an integer, text, Uuid, Blob, Currency or time; another "     \
          "column may have PrimaryKey()")                                                         \
      STRATA_ORM_INTERNAL_REFUSE_TABLE(kAutoincrementOfOther, type,                               \
                                       "Autoincrement() is for the key alone")                    \
      STRATA_ORM_INTERNAL_REFUSE_TABLE(kEmptyLog, type, "LogChanges() of no entries")             \
      STRATA_ORM_INTERNAL_REFUSE_TABLE(                                                           \
          kTextOfOther, type,                                                                     \
          "FullText() is for texts, not named rank or rowid, of a table with one integer as key") \
      STRATA_ORM_INTERNAL_REFUSE_TABLE(                                                           \
          kBoxesOfOther, type, "Boxes() is for numbers, of a table with one integer as key")      \
      return true;                                                                                \
    }                                                                                             \
  };                                                                                              \
  _Pragma("GCC diagnostic pop") static_assert(STRATA_ORM_INTERNAL_DESCRIPTION(type)::Check())

// Described in table.h. A semicolon ends them.
#define STRATA_TABLE(head, ...) STRATA_ORM_INTERNAL_DESCRIBE(true, head, __VA_ARGS__)
#define STRATA_STRUCT(head, ...) STRATA_ORM_INTERNAL_DESCRIBE(false, head, __VA_ARGS__)

#define STRATA_ORM_INTERNAL_VALUE(type, element) \
  STRATA_ORM_INTERNAL_VALUE2(type, STRATA_ORM_INTERNAL_BARE(element))
#define STRATA_ORM_INTERNAL_VALUE2(...) STRATA_ORM_INTERNAL_VALUE3(__VA_ARGS__)
#define STRATA_ORM_INTERNAL_VALUE3(type, value, ...) \
  ::strata::orm::internal::MakeEnumName(#value, type::value __VA_OPT__(, ) __VA_ARGS__),

#define STRATA_ENUM(type, ...)                                                   \
  struct STRATA_ORM_INTERNAL_DESCRIPTION(type) {                                 \
    static constexpr ::strata::orm::EnumName kNames[] = {                        \
        STRATA_ORM_INTERNAL_EACH(STRATA_ORM_INTERNAL_VALUE, type, __VA_ARGS__)}; \
  };                                                                             \
  STRATA_ORM_INTERNAL_DESCRIPTION(type) StrataOrmDescribe(const type*)

#endif  // STRATA_ORM_TABLE_MACROS_H_
