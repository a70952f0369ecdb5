#include "strata/http/field.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

std::string Changed(std::string_view text, int (*change)(int)) {
  std::string changed(text);
  std::transform(changed.begin(), changed.end(), changed.begin(),
                 [change](unsigned char c) { return static_cast<char>(change(c)); });
  return changed;
}

TEST(FieldIdTest, EachIsFoundByItsNameInEveryCase) {
  for (std::size_t i = 1; i < kFieldIdCount; ++i) {
    const FieldId id = static_cast<FieldId>(i);
    const std::string_view name = FieldName(id);
    ASSERT_FALSE(name.empty());
    EXPECT_EQ(FieldIdOf(name), id) << name;
    EXPECT_EQ(FieldIdOf(Changed(name, std::tolower)), id) << name;
    EXPECT_EQ(FieldIdOf(Changed(name, std::toupper)), id) << name;
  }
  EXPECT_EQ(FieldName(FieldId::kOther), "");
  EXPECT_EQ(FieldName(FieldId::kEtag), "ETag");
  EXPECT_EQ(FieldIdOf("content-length"), FieldId::kContentLength);
  EXPECT_EQ(FieldIdOf("X-Own"), FieldId::kOther);
  EXPECT_EQ(FieldIdOf(""), FieldId::kOther);
}

// Every change of a byte of a name, but for a letter's case, makes another name.
TEST(FieldIdTest, NamesThatDifferInOneByteAreOthers) {
  for (std::size_t i = 1; i < kFieldIdCount; ++i) {
    const std::string name(FieldName(static_cast<FieldId>(i)));
    for (std::size_t place = 0; place < name.size(); ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string other = name;
        other[place] = static_cast<char>(byte);
        const FieldId found = FieldIdOf(other);
        if (std::tolower(byte) == std::tolower(static_cast<unsigned char>(name[place]))) {
          EXPECT_EQ(found, static_cast<FieldId>(i));
        } else if (found != FieldId::kOther) {
          // Some are one byte from another: none of those that are in the list now.
          ADD_FAILURE() << other << " is taken for " << FieldName(found);
        }
      }
    }
  }
}

TEST(FieldIdTest, LongerAndShorterNamesAreOthers) {
  for (std::size_t i = 1; i < kFieldIdCount; ++i) {
    const std::string name(FieldName(static_cast<FieldId>(i)));
    EXPECT_EQ(FieldIdOf(name + "s"), FieldId::kOther);
    EXPECT_EQ(FieldIdOf("x" + name), FieldId::kOther);
    // "Age" of "Agee", but "Expires" of "Expiress".
    EXPECT_NE(FieldIdOf(name.substr(0, name.size() - 1)), static_cast<FieldId>(i));
  }
  EXPECT_EQ(FieldIdOf(std::string(100'000, 'a')), FieldId::kOther);
}

TEST(FieldIdTest, RandomNamesAreOthers) {
  const std::uint64_t seed = std::random_device{}();
  std::mt19937_64 random(seed);
  for (int i = 0; i < 100'000; ++i) {
    std::string name;
    for (std::uint64_t size = random() % 34; size > 0; --size) name += static_cast<char>(random());
    // One in 2^16 of two bytes is "TE".
    if (name.size() > 3) {
      ASSERT_EQ(FieldIdOf(name), FieldId::kOther) << "seed " << seed;
    }
  }
}

Field Make(std::string_view name, std::string_view value) { return {name, value, FieldIdOf(name)}; }

TEST(FieldListTest, SeveralLinesAreOneList) {
  const Field fields[] = {{"Accept", "a", FieldId::kAccept},
                          {"Host", "h", FieldId::kHost},
                          {"accept", "b, c", FieldId::kAccept}};
  const FieldList list{std::span(fields)};
  EXPECT_EQ(list.GetAll(FieldId::kAccept), "a, b, c");
  EXPECT_EQ(list.GetAll(FieldId::kHost), "h");
  EXPECT_EQ(list.GetAll(FieldId::kRange), "");
  std::string storage = "before";
  EXPECT_EQ(list.GetAll(FieldId::kAccept, storage), "a, b, c");
  EXPECT_EQ(list.GetAll(FieldId::kHost, storage)->data(), fields[1].value.data());
  EXPECT_EQ(list.GetAll(FieldId::kRange, storage), std::nullopt);
}

TEST(FieldListTest, FindsTheFirstByIdAndByName) {
  const std::array<Field, 4> fields = {Make("Host", "a"), Make("X-Own", "1"), Make("x-own", "2"),
                                       Make("Accept", "")};
  const FieldList list(fields);
  EXPECT_EQ(list.size(), 4u);
  EXPECT_FALSE(list.empty());
  EXPECT_EQ(list[1].value, "1");
  EXPECT_EQ(list.Get(FieldId::kHost), "a");
  EXPECT_EQ(list.Get("hOST"), "a");
  EXPECT_EQ(list.Get("X-OWN"), "1");
  EXPECT_EQ(list.Get(FieldId::kAccept), "");
  EXPECT_TRUE(list.Has(FieldId::kAccept));
  EXPECT_EQ(list.Count("X-own"), 2u);
  EXPECT_EQ(list.Count(FieldId::kHost), 1u);
  EXPECT_EQ(list.Count("Host"), 1u);
}

TEST(FieldListTest, SaysWhatIsAbsent) {
  const std::array<Field, 1> fields = {Make("X-Own", "1")};
  const FieldList list(fields);
  EXPECT_FALSE(list.Has(FieldId::kHost));
  EXPECT_EQ(list.Get(FieldId::kHost), std::nullopt);
  EXPECT_EQ(list.Get("Host"), std::nullopt);
  EXPECT_EQ(list.Get("X-Other"), std::nullopt);
  EXPECT_EQ(list.Count(FieldId::kHost), 0u);
  EXPECT_EQ(list.Count("X-Other"), 0u);
  // kOther is no name.
  EXPECT_EQ(list.Get(FieldId::kOther), std::nullopt);
  EXPECT_EQ(list.Count(FieldId::kOther), 0u);
  EXPECT_FALSE(list.HasToken(FieldId::kOther, "1"));
  EXPECT_TRUE(FieldList().empty());
}

std::vector<std::string> Elements(ListReader reader) {
  std::vector<std::string> elements;
  while (const std::optional<std::string_view> element = reader.Next()) {
    elements.emplace_back(*element);
  }
  return elements;
}

using Strings = std::vector<std::string>;

// RFC 9110 section 5.6.1.
TEST(ListReaderTest, WalksTheElements) {
  EXPECT_EQ(Elements(ListReader("a, b ,c\t,d")), (Strings{"a", "b", "c", "d"}));
  EXPECT_EQ(Elements(ListReader("a b;q=1")), (Strings{"a b;q=1"}));
}

TEST(ListReaderTest, LeavesOutEmptyElements) {
  EXPECT_EQ(Elements(ListReader("")), Strings{});
  EXPECT_EQ(Elements(ListReader(" ,\t, ")), Strings{});
  EXPECT_EQ(Elements(ListReader(",a,,b,")), (Strings{"a", "b"}));
}

TEST(ListReaderTest, ACommaInQuotesSeparatesNothing) {
  EXPECT_EQ(Elements(ListReader(R"("a,b", W/"c,d")")), (Strings{R"("a,b")", R"(W/"c,d")"}));
  EXPECT_EQ(Elements(ListReader(R"(a="\",\\", b)")), (Strings{R"(a="\",\\")", "b"}));
  EXPECT_EQ(Elements(ListReader(R"("a, b)")), (Strings{R"("a, b)"}));
  EXPECT_EQ(Elements(ListReader(R"("a\)")), (Strings{R"("a\)"}));
  // A backslash means nothing outside of quotes.
  EXPECT_EQ(Elements(ListReader(R"(a\,b)")), (Strings{R"(a\)", "b"}));
}

TEST(ListReaderTest, GoesOnThroughAllFieldsOfTheName) {
  const std::array<Field, 5> fields = {Make("Vary", "a, b"), Make("Accept", "x"), Make("vary", ""),
                                       Make("Vary", "\"c, "), Make("Vary", "d")};
  const FieldList list(fields);
  EXPECT_EQ(Elements(ListReader(list, FieldId::kVary)), (Strings{"a", "b", "\"c,", "d"}));
  EXPECT_EQ(Elements(ListReader(list, FieldId::kHost)), Strings{});
  EXPECT_EQ(Elements(ListReader(list, FieldId::kOther)), Strings{});
}

TEST(FieldListTest, HasATokenIfAnElementIsIt) {
  const std::array<Field, 2> fields = {Make("Accept-Encoding", "br;q=0, GZIP"),
                                       Make("Accept-Encoding", "deflate")};
  const FieldList list(fields);
  EXPECT_TRUE(list.HasToken(FieldId::kAcceptEncoding, "gzip"));
  EXPECT_TRUE(list.HasToken(FieldId::kAcceptEncoding, "deflate"));
  EXPECT_FALSE(list.HasToken(FieldId::kAcceptEncoding, "br"));
  EXPECT_FALSE(list.HasToken(FieldId::kAcceptEncoding, "zip"));
  EXPECT_FALSE(list.HasToken(FieldId::kAccept, "gzip"));
}

}  // namespace
}  // namespace strata::http
