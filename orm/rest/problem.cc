#include <cctype>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/http/reply.h"
#include "strata/orm/json.h"
#include "strata/orm/rest/problem_internal.h"

namespace strata::orm::rest::internal {
namespace {

// Errors name a column as "table.column", anywhere.
const Column* ColumnNamed(std::string_view message, const TableInfo& table) {
  const std::string prefix = absl::StrCat(table.name, ".");
  for (std::size_t at = 0; (at = message.find(prefix, at)) != std::string_view::npos;) {
    at += prefix.size();
    std::size_t end = at;
    while (end < message.size() &&
           (std::isalnum(static_cast<unsigned char>(message[end])) != 0 || message[end] == '_')) {
      ++end;
    }
    const Column* column = table.Find(message.substr(at, end - at));
    if (column != nullptr) return column;
  }
  return nullptr;
}

// Whether the error is about the values of a row, and not about the program.
bool IsOfRow(std::string_view message, const TableInfo& table) {
  return message.starts_with(table.name) && (message.substr(table.name.size()).starts_with('.') ||
                                             message.substr(table.name.size()).starts_with(':'));
}

void Point(const TableInfo& table, std::string_view at, Problem* problem) {
  const Column* column = ColumnNamed(problem->detail, table);
  problem->pointer = column != nullptr ? absl::StrCat(at, "/", column->name) : std::string(at);
}

void AppendMember(std::string_view name, std::string_view value, std::string* json) {
  std::string text;
  // A text that is no UTF-8 came from outside, and need not go back there.
  if (!AppendJson(std::string(value), &text).ok()) text = "\"\"";
  absl::StrAppend(json, json->back() == '{' ? "" : ",", "\"", name, "\":", text);
}

}  // namespace

Problem ProblemOf(const absl::Status& status, const TableInfo& table, std::string_view at) {
  const bool is_of_row = IsOfRow(status.message(), table);
  Problem problem{.detail = std::string(status.message())};
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return {};
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      if (!is_of_row && absl::IsOutOfRange(status)) return {400, "a number is out of range"};
      if (!is_of_row) return {500, ""};
      problem.status = 422;
      Point(table, at, &problem);
      return problem;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
      if (!is_of_row) return {500, ""};
      problem.status = 409;
      Point(table, at, &problem);
      return problem;
    case absl::StatusCode::kNotFound:
      return {404, "there is no such row"};
    case absl::StatusCode::kAborted:
      return {412, "the row has been changed meanwhile"};
    case absl::StatusCode::kPermissionDenied:
      return {403, "this is not allowed"};
    case absl::StatusCode::kUnavailable:
      return {503, "the database is busy"};
    case absl::StatusCode::kResourceExhausted:
      return {507, "there is no room"};
    case absl::StatusCode::kUnimplemented:
      return {501, "this database cannot do that"};
    default:
      return {500, ""};
  }
}

Problem JsonProblem(const absl::Status& status, const TableInfo& table, std::string_view at) {
  // What is no JSON is 400; JSON that is no row of the table is 422, with its column.
  Problem problem{.status = 400, .detail = std::string(status.message())};
  const std::string prefix = absl::StrCat(table.name, ".");
  const std::size_t name = problem.detail.find(prefix);
  if (status.code() == absl::StatusCode::kResourceExhausted) return problem;
  if (name != std::string::npos) problem.status = 422;
  Point(table, at, &problem);
  return problem;
}

Problem ParameterProblem(std::string_view parameter, std::string_view detail) {
  return {.status = 400, .detail = std::string(detail), .parameter = std::string(parameter)};
}

http::Reply ReplyOf(const Problem& problem) {
  std::string title = http::StatusText(problem.status);  // "404 Not Found\n".
  title = title.substr(4, title.size() - 5);
  std::string json = "{";
  AppendMember("title", title, &json);
  absl::StrAppend(&json, ",\"status\":", problem.status);
  if (!problem.detail.empty()) AppendMember("detail", problem.detail, &json);
  if (!problem.pointer.empty() || !problem.parameter.empty()) {
    std::string error = "{";
    AppendMember("detail", problem.detail, &error);
    if (!problem.pointer.empty()) AppendMember("pointer", problem.pointer, &error);
    if (!problem.parameter.empty()) AppendMember("parameter", problem.parameter, &error);
    absl::StrAppend(&json, ",\"errors\":[", error, "}]");
  }
  json += '}';
  http::Reply reply(problem.status, "application/problem+json", std::move(json));
  if (problem.status == 503) reply.Set(http::FieldId::kRetryAfter, "1");
  return reply;
}

}  // namespace strata::orm::rest::internal
