// JSONTestSuite's cases, by this reader and by simdjson's.

#include <simdjson.h>

#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "strata/orm/json.h"

namespace strata::orm {
namespace {

struct Case {
  std::string name;
  std::string text;
};

std::string Unescape(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    bytes += static_cast<char>(std::stoi(text.substr(i + 2, 2), nullptr, 16));
    i += 3;
  }
  return bytes;
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  std::ifstream file("orm/testdata/json_test_suite.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t space = line.find(' ');
    const std::size_t quote = line.find('"');
    const int repeat = std::stoi(line.substr(space, quote - space));
    const std::string once = Unescape(line.substr(quote + 1, line.size() - quote - 2));
    Case& added = cases.emplace_back(Case{line.substr(0, space), ""});
    for (int i = 0; i < repeat; ++i) added.text += once;
  }
  return cases;
}

TEST(JsonSuiteTest, AcceptsAndRefusesWhatItShould) {
  int accepted = 0;
  int refused = 0;
  for (const Case& c : Cases()) {
    const bool ok = CheckJson(c.text).ok();
    // A Json field takes the same way through the typed reader.
    Json json;
    EXPECT_EQ(FromJson(c.text, &json).ok(), ok) << c.name;
    if (c.name[0] == 'y') {
      EXPECT_TRUE(ok) << c.name << ": " << CheckJson(c.text);
      ++accepted;
    } else if (c.name[0] == 'n') {
      EXPECT_FALSE(ok) << c.name;
      ++refused;
    }
  }
  EXPECT_EQ(accepted, 95);
  EXPECT_EQ(refused, 188);
}

TEST(JsonSuiteTest, IsAsStrictAsSimdjson) {
  simdjson::dom::parser parser;
  for (const Case& c : Cases()) {
    simdjson::dom::element element;
    const bool ok = parser.parse(c.text).get(element) == simdjson::SUCCESS;
    // It has no numbers beyond double and uint64, which a Json keeps as they are.
    if (absl::StrContains(c.name, "number") && !ok && c.name[0] != 'n') continue;
    EXPECT_EQ(CheckJson(c.text).ok(), ok) << c.name;
  }
}

TEST(JsonSuiteTest, NestingIsBounded) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(CheckJson(nested(64)).ok());
  EXPECT_FALSE(CheckJson(nested(65)).ok());
  EXPECT_TRUE(CheckJson(nested(500), {.max_depth = 500}).ok());
}

}  // namespace
}  // namespace strata::orm
