// Agreeing on permessage-deflate, RFC 7692 section 7.1 and RFC 6455 section 9.1.

#include "strata/ws/deflate_negotiation.h"

#include <ostream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace strata::ws {

std::ostream& operator<<(std::ostream& out, const DeflateParameters& parameters) {
  return out << parameters.server_no_context_takeover << parameters.client_no_context_takeover
             << ' ' << int{parameters.server_max_window_bits} << ' '
             << int{parameters.client_max_window_bits};
}

namespace {

constexpr DeflateParameters kStandard;
constexpr DeflateParameters kShared = {.server_no_context_takeover = true,
                                       .client_no_context_takeover = true};
constexpr DeflateParameters kSmall = {.server_max_window_bits = 10, .client_max_window_bits = 9};

// The response, "none" or "bad".
std::string Response(std::string_view offers, const DeflateParameters& wanted = {},
                     DeflateParameters* agreed = nullptr) {
  DeflateParameters ignored;
  std::string response;
  switch (AcceptDeflateOffer(offers, wanted, agreed ? agreed : &ignored, &response)) {
    case DeflateChoice::kAgreed:
      return response;
    case DeflateChoice::kNone:
      return "none";
    case DeflateChoice::kBad:
      return "bad";
  }
  return "";
}

struct OfferCase {
  std::string_view offers;
  DeflateParameters wanted;
  std::string_view response;
  DeflateParameters agreed;
};

TEST(DeflateOfferTest, IsAnsweredByWhatBothWant) {
  const OfferCase cases[] = {
      {"permessage-deflate", kStandard, "permessage-deflate", kStandard},
      // Section 7.1.1.1.
      {"permessage-deflate; server_no_context_takeover",
       kStandard,
       "permessage-deflate; server_no_context_takeover",
       {.server_no_context_takeover = true}},
      {"permessage-deflate",
       {.server_no_context_takeover = true},
       "permessage-deflate; server_no_context_takeover",
       {.server_no_context_takeover = true}},
      // Section 7.1.1.2.
      {"permessage-deflate; client_no_context_takeover",
       kStandard,
       "permessage-deflate; client_no_context_takeover",
       {.client_no_context_takeover = true}},
      {"permessage-deflate", kShared,
       "permessage-deflate; server_no_context_takeover; client_no_context_takeover", kShared},
      // Section 7.1.2.1.
      {"permessage-deflate; server_max_window_bits=10",
       kStandard,
       "permessage-deflate; server_max_window_bits=10",
       {.server_max_window_bits = 10}},
      {"permessage-deflate; server_max_window_bits=15", kStandard,
       "permessage-deflate; server_max_window_bits=15", kStandard},
      {"permessage-deflate; server_max_window_bits=8",
       kStandard,
       "permessage-deflate; server_max_window_bits=8",
       {.server_max_window_bits = 8}},
      {"permessage-deflate; server_max_window_bits=12",
       kSmall,
       "permessage-deflate; server_max_window_bits=10",
       {.server_max_window_bits = 10}},
      {"permessage-deflate; server_max_window_bits=9",
       kSmall,
       "permessage-deflate; server_max_window_bits=9",
       {.server_max_window_bits = 9}},
      {"permessage-deflate",
       kSmall,
       "permessage-deflate; server_max_window_bits=10",
       {.server_max_window_bits = 10}},
      // Section 7.1.2.2.
      {"permessage-deflate; client_max_window_bits", kStandard, "permessage-deflate", kStandard},
      {"permessage-deflate; client_max_window_bits=15", kStandard, "permessage-deflate", kStandard},
      {"permessage-deflate; client_max_window_bits=11",
       kStandard,
       "permessage-deflate; client_max_window_bits=11",
       {.client_max_window_bits = 11}},
      {"permessage-deflate; client_max_window_bits", kSmall,
       "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9", kSmall},
      {"permessage-deflate; client_max_window_bits=8",
       kSmall,
       "permessage-deflate; server_max_window_bits=10; client_max_window_bits=8",
       {.server_max_window_bits = 10, .client_max_window_bits = 8}},
      {"permessage-deflate; client_max_window_bits=12", kSmall,
       "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9", kSmall},
      {"permessage-deflate; client_no_context_takeover; server_no_context_takeover; "
       "server_max_window_bits=9; client_max_window_bits=10",
       kStandard,
       "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
       "server_max_window_bits=9; client_max_window_bits=10",
       {.server_no_context_takeover = true,
        .client_no_context_takeover = true,
        .server_max_window_bits = 9,
        .client_max_window_bits = 10}},
  };
  for (const OfferCase& each : cases) {
    DeflateParameters agreed = {.server_max_window_bits = 0};
    EXPECT_EQ(Response(each.offers, each.wanted, &agreed), each.response) << each.offers;
    EXPECT_EQ(agreed, each.agreed) << each.offers;
  }
}

TEST(DeflateOfferTest, IsReadHoweverItIsWritten) {
  const std::string_view with_ten = "permessage-deflate; server_max_window_bits=10";
  for (const std::string_view offer : {"permessage-deflate;server_max_window_bits=10",
                                       " permessage-deflate ; "
                                       "server_max_window_bits = 10 ",
                                       "permessage-deflate\t;\tserver_max_window_bits\t=\t10\t",
                                       "permessage-deflate; server_max_window_bits=\"10\"",
                                       "permessage-deflate; server_max_window_bits=\"1\\0\"",
                                       "permessage-deflate; server_max_window_bits=\"\\1\\0\"",
                                       "Permessage-Deflate; Server_Max_Window_Bits=10",
                                       ",, permessage-deflate; "
                                       "server_max_window_bits=10, ,"}) {
    EXPECT_EQ(Response(offer), with_ten) << offer;
  }
}

TEST(DeflateOfferTest, TheFirstAcceptableOneIsTaken) {
  EXPECT_EQ(Response("permessage-deflate; server_max_window_bits=10, permessage-deflate"),
            "permessage-deflate; server_max_window_bits=10");
  EXPECT_EQ(Response("permessage-deflate; unknown, permessage-deflate; server_max_window_bits=9"),
            "permessage-deflate; server_max_window_bits=9");
  EXPECT_EQ(Response("permessage-deflate; server_max_window_bits=7, "
                     "permessage-deflate; server_max_window_bits=16, permessage-deflate"),
            "permessage-deflate");
  EXPECT_EQ(Response("x-webkit-deflate-frame, permessage-bzip2; level=9; x=\"y\", "
                     "permessage-deflate; client_max_window_bits"),
            "permessage-deflate");
}

TEST(DeflateOfferTest, IsDeclinedForWhatIsNotDefined) {
  for (const std::string_view parameters :
       {"unknown",
        "unknown=1",
        "level=9",
        "server_no_context_takeover=1",
        "server_no_context_takeover=true",
        "client_no_context_takeover=\"1\"",
        "server_max_window_bits",
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=0",
        "server_max_window_bits=08",
        "server_max_window_bits=010",
        "server_max_window_bits=100",
        "server_max_window_bits=1",
        "server_max_window_bits=-8",
        "server_max_window_bits=+8",
        "server_max_window_bits=1x",
        "server_max_window_bits=0x9",
        "server_max_window_bits=10.0",
        "client_max_window_bits=7",
        "client_max_window_bits=16",
        "client_max_window_bits=09",
        "client_max_window_bits=ten",
        "client_max_window_bits=18446744073709551624",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; client_no_context_takeover",
        "client_max_window_bits; client_max_window_bits",
        "client_max_window_bits; client_max_window_bits=10",
        "server_max_window_bits=10; server_max_window_bits=10"}) {
    EXPECT_EQ(Response("permessage-deflate; " + std::string(parameters)), "none") << parameters;
    EXPECT_EQ(Response("permessage-deflate; " + std::string(parameters) + ", permessage-deflate"),
              "permessage-deflate")
        << parameters;
  }
}

TEST(DeflateOfferTest, OtherExtensionsAreNone) {
  EXPECT_EQ(Response(""), "none");
  EXPECT_EQ(Response(" , "), "none");
  EXPECT_EQ(Response("permessage-deflat"), "none");
  EXPECT_EQ(Response("permessage-deflate2"), "none");
  EXPECT_EQ(Response("foo; bar=baz; q=\"quoted\", other"), "none");
}

TEST(DeflateOfferTest, WhatIsNoListIsBad) {
  for (const std::string_view offer : {";",
                                       "=",
                                       "permessage-deflate;",
                                       "permessage-deflate;;",
                                       "permessage-deflate; =8",
                                       "permessage-deflate; client_max_window_bits=",
                                       "permessage-deflate; client_max_window_bits=\"\"",
                                       "permessage-deflate; client_max_window_bits=\"10",
                                       "permessage-deflate; client_max_window_bits=\"1 0\"",
                                       "permessage-deflate; client_max_window_bits=\" 10\"",
                                       "permessage-deflate; client_max_window_bits=\"10\\",
                                       "permessage-deflate; client_max_window_bits=\"10\"x",
                                       "permessage-deflate; client_max_window_bits=10 11",
                                       "permessage-deflate client_max_window_bits",
                                       "permessage-deflate foo",
                                       "permessage-deflate, foo bar",
                                       "permessage-deflate, ;",
                                       "(permessage-deflate)",
                                       "permessage-deflate; a/b",
                                       "permessage-deflate\r\n",
                                       "\xff",
                                       "permessage-deflate:"}) {
    EXPECT_EQ(Response(offer), "bad") << offer;
  }
  EXPECT_EQ(Response(std::string_view("permessage-deflate\0", 19)), "bad");
}

TEST(DeflateOfferTest, LongFieldsTakeNoLonger) {
  const std::string blanks(2'000'000, ' ');
  EXPECT_EQ(Response("a" + blanks + "b"), "bad");
  EXPECT_EQ(Response(blanks + "permessage-deflate" + blanks), "permessage-deflate");
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "permessage-deflate; x=\"\\y\\z\", ";
  EXPECT_EQ(Response(many), "none");
  std::string parameters = "permessage-deflate";
  for (int i = 0; i < 100'000; ++i) parameters += ";client_max_window_bits";
  EXPECT_EQ(Response(parameters), "none");
  EXPECT_EQ(Response("p; q=\"" + std::string(2'000'000, '\\') + "\""), "bad");
}

TEST(DeflateClientTest, OffersWhatItWants) {
  EXPECT_EQ(DeflateOffer({}), "permessage-deflate; client_max_window_bits");
  EXPECT_EQ(DeflateOffer(kShared),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
            "client_max_window_bits");
  EXPECT_EQ(DeflateOffer(kSmall),
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9");
}

std::string Check(std::string_view response, const DeflateParameters& wanted,
                  const DeflateParameters& expected = {}) {
  DeflateParameters agreed;
  switch (CheckDeflateResponse(response, wanted, &agreed)) {
    case DeflateChoice::kAgreed:
      EXPECT_EQ(agreed, expected) << response;
      return "agreed";
    case DeflateChoice::kNone:
      return "none";
    case DeflateChoice::kBad:
      return "bad";
  }
  return "";
}

TEST(DeflateClientTest, TakesWhatItsOfferAllows) {
  EXPECT_EQ(Check("permessage-deflate", {}), "agreed");
  EXPECT_EQ(Check("permessage-deflate; server_no_context_takeover", {},
                  {.server_no_context_takeover = true}),
            "agreed");
  EXPECT_EQ(Check("permessage-deflate; client_no_context_takeover", {},
                  {.client_no_context_takeover = true}),
            "agreed");
  EXPECT_EQ(
      Check("permessage-deflate; server_max_window_bits=9", {}, {.server_max_window_bits = 9}),
      "agreed");
  EXPECT_EQ(
      Check("permessage-deflate; client_max_window_bits=\"9\"", {}, {.client_max_window_bits = 9}),
      "agreed");
  EXPECT_EQ(Check("permessage-deflate; server_max_window_bits=10", kSmall, kSmall), "agreed");
  EXPECT_EQ(Check("permessage-deflate; server_max_window_bits=8; client_max_window_bits=8", kSmall,
                  {.server_max_window_bits = 8, .client_max_window_bits = 8}),
            "agreed");
  // Its own hint binds the client, whether the server repeats it or not (section 7.1.1.2).
  EXPECT_EQ(Check("permessage-deflate", {.client_no_context_takeover = true},
                  {.client_no_context_takeover = true}),
            "agreed");
  EXPECT_EQ(Check("", {}), "none");
  EXPECT_EQ(Check(" , ", {}), "none");
}

TEST(DeflateClientTest, FailsByWhatItsOfferDoesNotAllow) {
  for (const std::string_view response :
       {"permessage-bzip2", "permessage-deflate, permessage-deflate", "permessage-deflate, foo",
        "foo, permessage-deflate", "permessage-deflate; unknown", "permessage-deflate;",
        "permessage-deflate; client_max_window_bits", "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9"}) {
    EXPECT_EQ(Check(response, {}), "bad") << response;
  }
  EXPECT_EQ(Check("permessage-deflate", kSmall), "bad") << "a larger window than asked for";
  EXPECT_EQ(Check("permessage-deflate; server_max_window_bits=11", kSmall), "bad");
  EXPECT_EQ(
      Check("permessage-deflate; server_max_window_bits=10; client_max_window_bits=10", kSmall),
      "bad");
  EXPECT_EQ(Check("permessage-deflate; client_no_context_takeover", kShared), "bad");
}

TEST(DeflateClientTest, AgreesWithEveryServer) {
  for (const DeflateParameters& client : {kStandard, kShared, kSmall}) {
    for (const DeflateParameters& server : {kStandard, kShared, kSmall}) {
      DeflateParameters servers;
      const std::string response = Response(DeflateOffer(client), server, &servers);
      EXPECT_EQ(Check(response, client, servers), "agreed") << response;
    }
  }
}

}  // namespace
}  // namespace strata::ws
