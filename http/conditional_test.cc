// Entity tags (RFC 9110 section 8.8.3) and preconditions (section 13).

#include "strata/http/conditional.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;
using enum Precondition;

constexpr sys_seconds kNow{seconds(1'700'000'000)};

// 784111776, ...777, ...778.
constexpr std::string_view kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr sys_seconds kTime{seconds(784111777)};

constexpr ConditionalMethod kGet = ConditionalMethod::kGet;
constexpr ConditionalMethod kHead = ConditionalMethod::kHead;
constexpr ConditionalMethod kPut = ConditionalMethod::kOther;

// The representation of most tests: "v1", of kDate.
Validators Current() {
  return {
      .etag = EntityTag{.opaque = "v1"}, .last_modified = kTime, .last_modified_is_strong = true};
}

Validators Missing() { return {.exists = false}; }

Validators WithoutDate() { return {.etag = EntityTag{.opaque = "v1"}}; }

Validators WithoutTag() { return {.last_modified = kTime}; }

Validators WithWeakTag() { return {.etag = EntityTag{.opaque = "v1", .weak = true}}; }

Precondition Evaluate(ConditionalMethod method, const ConditionalFields& fields,
                      const Validators& current = Current()) {
  return EvaluatePreconditions(method, fields, current, kNow).precondition;
}

bool Honours(ConditionalMethod method, const ConditionalFields& fields,
             const Validators& current = Current()) {
  return EvaluatePreconditions(method, fields, current, kNow).honour_range;
}

// Tags as text again, separated by blanks; "!" at the end for a malformed list.
std::string Tags(std::string_view field) {
  EntityTagList list(field);
  std::string text;
  while (const std::optional<EntityTag> tag = list.Next()) {
    text += (tag->weak ? "W/" : "") + std::string(tag->opaque) + " ";
  }
  return text + (list.malformed() ? "!" : "");
}

TEST(EntityTagTest, ParsesWhatSection883Allows) {
  const std::optional<EntityTag> strong = ParseEntityTag("\"xyzzy\"");
  ASSERT_TRUE(strong);
  EXPECT_EQ(strong->opaque, "xyzzy");
  EXPECT_FALSE(strong->weak);
  const std::optional<EntityTag> weak = ParseEntityTag("W/\"xyzzy\"");
  ASSERT_TRUE(weak);
  EXPECT_EQ(weak->opaque, "xyzzy");
  EXPECT_TRUE(weak->weak);
  EXPECT_TRUE(ParseEntityTag("\"\""));
  // A backslash is a character like others, and so is a comma, in the quotes.
  EXPECT_EQ(ParseEntityTag("\"a\\b,c\"")->opaque, "a\\b,c");
  EXPECT_EQ(ParseEntityTag("\"!#~\x80\xff\"")->opaque, "!#~\x80\xff");
}

TEST(EntityTagTest, RefusesWhatIsNoTag) {
  const std::vector<std::string> bad = {
      "",
      "*",
      "\"",
      "xyzzy",
      "'xyzzy'",
      "\"xyzzy",
      "xyzzy\"",
      "w/\"xyzzy\"",
      "W\"xyzzy\"",
      "W/xyzzy",
      "W/",
      "W/ \"xyzzy\"",
      "W/W/\"xyzzy\"",
      " \"xyzzy\"",
      "\"xyzzy\" ",
      "\"xy zzy\"",
      "\"xy\tzzy\"",
      "\"xy\x7f\"",
      "\"xy\x1f\"",
      "\"xy\"zzy\"",
      "\"a\", \"b\"",
      "\"\"\"",
      std::string("\"x\0y\"", 5),
  };
  for (const std::string& text : bad) EXPECT_FALSE(ParseEntityTag(text)) << text;
}

// The table of section 8.8.3.2.
TEST(EntityTagTest, ComparesStronglyAndWeakly) {
  const EntityTag weak_1{"1", true};
  const EntityTag weak_2{"2", true};
  const EntityTag strong_1{"1"};
  EXPECT_FALSE(StrongMatch(weak_1, weak_1));
  EXPECT_TRUE(WeakMatch(weak_1, weak_1));
  EXPECT_FALSE(StrongMatch(weak_1, weak_2));
  EXPECT_FALSE(WeakMatch(weak_1, weak_2));
  EXPECT_FALSE(StrongMatch(weak_1, strong_1));
  EXPECT_FALSE(StrongMatch(strong_1, weak_1));
  EXPECT_TRUE(WeakMatch(weak_1, strong_1));
  EXPECT_TRUE(StrongMatch(strong_1, strong_1));
  EXPECT_TRUE(WeakMatch(strong_1, strong_1));
}

TEST(EntityTagListTest, TakesListsApart) {
  EXPECT_EQ(Tags("\"a\""), "a ");
  EXPECT_EQ(Tags("\"a\", W/\"b\",\"c\""), "a W/b c ");
  EXPECT_EQ(Tags("\"a,b\", \"c\""), "a,b c ");
  EXPECT_EQ(Tags("\"a\" \t,\t \"b\""), "a b ");
}

// Section 5.6.1.2.
TEST(EntityTagListTest, PassesOverEmptyElements) {
  EXPECT_EQ(Tags(", \"a\",, ,\"b\",\t,"), "a b ");
  EXPECT_EQ(Tags(""), "");
  EXPECT_EQ(Tags(" , "), "");
}

TEST(EntityTagListTest, StopsAtWhatIsNoTag) {
  EXPECT_EQ(Tags("*"), "!");
  EXPECT_EQ(Tags("a"), "!");
  EXPECT_EQ(Tags("\"a\" \"b\""), "!");
  EXPECT_EQ(Tags("\"a\"\"b\""), "!");
  EXPECT_EQ(Tags("\"a\";\"b\""), "!");
  EXPECT_EQ(Tags("\"a\", *"), "a !");
  EXPECT_EQ(Tags("\"a\", b, \"c\""), "a !");
  EXPECT_EQ(Tags("\"a\", w/\"b\""), "a !");
  EXPECT_EQ(Tags("\"a\", \"b"), "a !");
}

// Section 13.1.1.
TEST(IfMatchTest, HoldsIfATagMatchesStrongly) {
  EXPECT_EQ(Evaluate(kPut, {.if_match = "\"v1\""}), kProceed);
  EXPECT_EQ(Evaluate(kPut, {.if_match = "\"v0\", \"v1\""}), kProceed);
  EXPECT_EQ(Evaluate(kPut, {.if_match = "\"v0\""}), kFailed);
  EXPECT_EQ(Evaluate(kPut, {.if_match = "W/\"v1\""}), kFailed);
  EXPECT_EQ(Evaluate(kPut, {.if_match = "\"v1\""}, WithWeakTag()), kFailed);
  EXPECT_EQ(Evaluate(kPut, {.if_match = "W/\"v1\""}, WithWeakTag()), kFailed);
  EXPECT_EQ(Evaluate(kPut, {.if_match = "\"v1\""}, WithoutTag()), kFailed);
  EXPECT_EQ(Evaluate(kPut, {.if_match = "\"v1\""}, Missing()), kFailed);
  EXPECT_EQ(Evaluate(kPut, {.if_match = ""}), kFailed);
  EXPECT_EQ(Evaluate(kGet, {.if_match = "\"v0\""}), kFailed);
  EXPECT_EQ(Evaluate(kHead, {.if_match = "\"v1\""}), kProceed);
}

TEST(IfMatchTest, AnyHoldsIfThereIsARepresentation) {
  EXPECT_EQ(Evaluate(kPut, {.if_match = "*"}), kProceed);
  EXPECT_EQ(Evaluate(kPut, {.if_match = "*"}, WithoutTag()), kProceed);
  EXPECT_EQ(Evaluate(kPut, {.if_match = "*"}, Missing()), kFailed);
}

TEST(IfMatchTest, AMalformedListMatchesNothing) {
  EXPECT_EQ(Evaluate(kPut, {.if_match = "v1"}), kFailed);
  EXPECT_EQ(Evaluate(kPut, {.if_match = "\"v1\", v2"}), kFailed);
  EXPECT_EQ(Evaluate(kPut, {.if_match = "\"v1\", *"}), kFailed);
  EXPECT_EQ(Evaluate(kPut, {.if_match = "*, *"}), kFailed);
}

// Section 13.1.4.
TEST(IfUnmodifiedSinceTest, HoldsIfTheDateIsNotEarlier) {
  EXPECT_EQ(Evaluate(kPut, {.if_unmodified_since = kBefore}), kFailed);
  EXPECT_EQ(Evaluate(kPut, {.if_unmodified_since = kDate}), kProceed);
  EXPECT_EQ(Evaluate(kPut, {.if_unmodified_since = kAfter}), kProceed);
  EXPECT_EQ(Evaluate(kGet, {.if_unmodified_since = kBefore}), kFailed);
}

TEST(IfUnmodifiedSinceTest, IsIgnoredIfThereIsNothingToCompare) {
  EXPECT_EQ(Evaluate(kPut, {.if_unmodified_since = kBefore}, WithoutDate()), kProceed);
  EXPECT_EQ(Evaluate(kPut, {.if_unmodified_since = kBefore}, Missing()), kProceed);
  EXPECT_EQ(Evaluate(kPut, {.if_unmodified_since = "yesterday"}), kProceed);
  const std::string two = std::string(kBefore) + ", " + std::string(kBefore);
  EXPECT_EQ(Evaluate(kPut, {.if_unmodified_since = two}), kProceed);
}

TEST(IfUnmodifiedSinceTest, IsIgnoredBesideIfMatch) {
  EXPECT_EQ(Evaluate(kPut, {.if_match = "\"v1\"", .if_unmodified_since = kBefore}), kProceed);
  EXPECT_EQ(Evaluate(kPut, {.if_match = "\"v0\"", .if_unmodified_since = kAfter}), kFailed);
}

// Section 13.1.2.
TEST(IfNoneMatchTest, OfAReadIs304IfATagMatchesWeakly) {
  for (const ConditionalMethod method : {kGet, kHead}) {
    EXPECT_EQ(Evaluate(method, {.if_none_match = "\"v1\""}), kNotModified);
    EXPECT_EQ(Evaluate(method, {.if_none_match = "W/\"v1\""}), kNotModified);
    EXPECT_EQ(Evaluate(method, {.if_none_match = "\"v0\", \"v1\""}), kNotModified);
    EXPECT_EQ(Evaluate(method, {.if_none_match = "\"v1\""}, WithWeakTag()), kNotModified);
    EXPECT_EQ(Evaluate(method, {.if_none_match = "*"}), kNotModified);
    EXPECT_EQ(Evaluate(method, {.if_none_match = "\"v0\""}), kProceed);
    EXPECT_EQ(Evaluate(method, {.if_none_match = "\"V1\""}), kProceed);
    EXPECT_EQ(Evaluate(method, {.if_none_match = "\"v1\""}, WithoutTag()), kProceed);
    EXPECT_EQ(Evaluate(method, {.if_none_match = "*"}, Missing()), kProceed);
  }
}

TEST(IfNoneMatchTest, OfAChangeIs412IfATagMatches) {
  EXPECT_EQ(Evaluate(kPut, {.if_none_match = "\"v1\""}), kFailed);
  EXPECT_EQ(Evaluate(kPut, {.if_none_match = "W/\"v1\""}), kFailed);
  EXPECT_EQ(Evaluate(kPut, {.if_none_match = "*"}), kFailed);
  EXPECT_EQ(Evaluate(kPut, {.if_none_match = "*"}, Missing()), kProceed);
  EXPECT_EQ(Evaluate(kPut, {.if_none_match = "\"v1\""}, Missing()), kProceed);
  EXPECT_EQ(Evaluate(kPut, {.if_none_match = "\"v0\""}), kProceed);
  EXPECT_EQ(Evaluate(kPut, {.if_none_match = ""}), kProceed);
}

TEST(IfNoneMatchTest, AMalformedListLetsReadsThroughAndNoChanges) {
  EXPECT_EQ(Evaluate(kGet, {.if_none_match = "v1"}), kProceed);
  EXPECT_EQ(Evaluate(kGet, {.if_none_match = "\"v1\", v2"}), kProceed);
  EXPECT_EQ(Evaluate(kPut, {.if_none_match = "v1"}), kFailed);
  EXPECT_EQ(Evaluate(kPut, {.if_none_match = "\"v0\", *"}), kFailed);
}

// Section 13.1.3.
TEST(IfModifiedSinceTest, IsNotModifiedIfTheDateIsNotEarlier) {
  for (const ConditionalMethod method : {kGet, kHead}) {
    EXPECT_EQ(Evaluate(method, {.if_modified_since = kBefore}), kProceed);
    EXPECT_EQ(Evaluate(method, {.if_modified_since = kDate}), kNotModified);
    EXPECT_EQ(Evaluate(method, {.if_modified_since = kAfter}), kNotModified);
    EXPECT_EQ(Evaluate(method, {.if_modified_since = "Sunday, 06-Nov-94 08:49:37 GMT"}),
              kNotModified);
    EXPECT_EQ(Evaluate(method, {.if_modified_since = "Sun Nov  6 08:49:36 1994"}), kProceed);
  }
}

TEST(IfModifiedSinceTest, IsIgnoredWhereItMeansNothing) {
  EXPECT_EQ(Evaluate(kPut, {.if_modified_since = kAfter}), kProceed);
  EXPECT_EQ(Evaluate(kGet, {.if_modified_since = kAfter}, WithoutDate()), kProceed);
  EXPECT_EQ(Evaluate(kGet, {.if_modified_since = kAfter}, Missing()), kProceed);
  EXPECT_EQ(Evaluate(kGet, {.if_modified_since = "0"}), kProceed);
  const std::string two = std::string(kAfter) + ", " + std::string(kAfter);
  EXPECT_EQ(Evaluate(kGet, {.if_modified_since = two}), kProceed);
}

TEST(IfModifiedSinceTest, IsIgnoredBesideIfNoneMatch) {
  EXPECT_EQ(Evaluate(kGet, {.if_none_match = "\"v0\"", .if_modified_since = kAfter}), kProceed);
  EXPECT_EQ(Evaluate(kGet, {.if_none_match = "\"v1\"", .if_modified_since = kBefore}),
            kNotModified);
  // Even if it is of no use: then it matches nothing.
  EXPECT_EQ(Evaluate(kGet, {.if_none_match = "v1", .if_modified_since = kAfter}), kProceed);
}

// Section 13.2.2: 412 comes before 304.
TEST(PreconditionOrderTest, WhatProtectsIsTestedFirst) {
  EXPECT_EQ(Evaluate(kGet, {.if_match = "\"v0\"", .if_none_match = "\"v1\""}), kFailed);
  EXPECT_EQ(Evaluate(kGet, {.if_match = "\"v1\"", .if_none_match = "\"v1\""}), kNotModified);
  EXPECT_EQ(Evaluate(kGet, {.if_unmodified_since = kBefore, .if_modified_since = kAfter}), kFailed);
  EXPECT_EQ(Evaluate(kGet, {.if_unmodified_since = kDate, .if_modified_since = kDate}),
            kNotModified);
  EXPECT_EQ(Evaluate(kGet, {.if_unmodified_since = kDate, .if_none_match = "\"v0\""}), kProceed);
}

TEST(PreconditionOrderTest, WithoutFieldsAllProceeds) {
  for (const ConditionalMethod method : {kGet, kHead, kPut}) {
    EXPECT_EQ(Evaluate(method, {}), kProceed);
    EXPECT_EQ(Evaluate(method, {}, Missing()), kProceed);
  }
}

// Section 14.2: range handling is defined for GET alone.
TEST(IfRangeTest, WithoutItGetAloneHonoursRange) {
  EXPECT_TRUE(Honours(kGet, {}));
  EXPECT_FALSE(Honours(kHead, {}));
  EXPECT_FALSE(Honours(kPut, {}));
}

// Section 13.1.5.
TEST(IfRangeTest, ATagHoldsIfItMatchesStrongly) {
  EXPECT_TRUE(Honours(kGet, {.if_range = "\"v1\""}));
  EXPECT_FALSE(Honours(kHead, {.if_range = "\"v1\""}));
  EXPECT_FALSE(Honours(kGet, {.if_range = "\"v0\""}));
  EXPECT_FALSE(Honours(kGet, {.if_range = "W/\"v1\""}));
  EXPECT_FALSE(Honours(kGet, {.if_range = "\"v1\""}, WithWeakTag()));
  EXPECT_FALSE(Honours(kGet, {.if_range = "\"v1\""}, WithoutTag()));
  EXPECT_FALSE(Honours(kGet, {.if_range = "\"v1\""}, Missing()));
}

TEST(IfRangeTest, ADateHoldsIfItIsTheSameAndStrong) {
  EXPECT_TRUE(Honours(kGet, {.if_range = kDate}));
  EXPECT_TRUE(Honours(kGet, {.if_range = "Sunday, 06-Nov-94 08:49:37 GMT"}));
  EXPECT_FALSE(Honours(kGet, {.if_range = kBefore}));
  EXPECT_FALSE(Honours(kGet, {.if_range = kAfter}));
  EXPECT_FALSE(Honours(kGet, {.if_range = kDate}, WithoutTag()));  // Its date is weak.
  EXPECT_FALSE(Honours(kGet, {.if_range = kDate}, WithoutDate()));
}

TEST(IfRangeTest, WhatIsNeitherDoesNotHold) {
  EXPECT_FALSE(Honours(kGet, {.if_range = ""}));
  EXPECT_FALSE(Honours(kGet, {.if_range = "*"}));
  EXPECT_FALSE(Honours(kGet, {.if_range = "v1"}));
  EXPECT_FALSE(Honours(kGet, {.if_range = "\"v1\", \"v1\""}));
  Validators nothing_known = {.last_modified_is_strong = true};
  EXPECT_FALSE(Honours(kGet, {.if_range = "v1"}, nothing_known));
}

TEST(IfRangeTest, IsTestedAfterTheOthers) {
  EXPECT_TRUE(Honours(kGet, {.if_match = "\"v1\"", .if_range = "\"v1\""}));
  EXPECT_FALSE(Honours(kGet, {.if_match = "\"v0\"", .if_range = "\"v1\""}));
  EXPECT_FALSE(Honours(kGet, {.if_none_match = "\"v1\"", .if_range = "\"v1\""}));
  // It takes the range away, and no more.
  EXPECT_EQ(Evaluate(kGet, {.if_range = "\"v0\""}), kProceed);
}

}  // namespace
}  // namespace strata::http
