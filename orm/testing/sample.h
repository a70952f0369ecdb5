// A table with a column of every kind, for tests.

#ifndef STRATA_ORM_TESTING_SAMPLE_H_
#define STRATA_ORM_TESTING_SAMPLE_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "strata/orm/table.h"

namespace strata::orm::testing {

enum class Color : std::int8_t { kRed = 1, kGreen = 5 };
STRATA_ENUM(Color, (kRed, "red"), (kGreen, "green"));

enum class Plain : std::uint16_t { kOne = 1 };

struct Point {
  std::int32_t x = 0;
  std::int32_t y = 0;
  friend bool operator==(const Point&, const Point&) = default;
};
STRATA_STRUCT(Point, x, y);

struct Node {
  std::string name;
  std::vector<Node> children;
  friend bool operator==(const Node&, const Node&) = default;
};
STRATA_STRUCT(Node, name, children);

struct Sample {
  std::int64_t id = 0;
  bool flag = false;
  std::int8_t i8 = 0;
  std::int16_t i16 = 0;
  std::int32_t i32 = 0;
  std::uint8_t u8 = 0;
  std::uint16_t u16 = 0;
  std::uint32_t u32 = 0;
  std::uint64_t u64 = 0;
  float single = 0;
  double real = 0;
  std::string text;
  Blob blob;
  Currency amount;
  Uuid uuid;
  std::chrono::sys_days day;
  std::chrono::sys_time<std::chrono::milliseconds> moment;
  std::chrono::sys_time<std::chrono::microseconds> moment_text;
  std::chrono::seconds span{0};
  Color color = Color::kRed;
  Color color_text = Color::kRed;
  Plain plain = Plain::kOne;
  std::optional<std::int64_t> maybe;
  std::optional<std::string> maybe_text;
  std::optional<Uuid> maybe_uuid;
  Json json;
  Point point;
  std::vector<Point> points;
  std::vector<std::optional<std::int32_t>> numbers;
  std::optional<Node> tree;

  friend bool operator==(const Sample&, const Sample&) = default;
};
STRATA_TABLE(Sample, id, flag, i8, i16, i32, u8, u16, u32, u64, single, real, text, blob, amount,
             (uuid, AsText()), day, moment, (moment_text, AsText()), span, color,
             (color_text, AsText()), plain, maybe, maybe_text, maybe_uuid, json, point, points,
             numbers, tree);

}  // namespace strata::orm::testing

#endif  // STRATA_ORM_TESTING_SAMPLE_H_
