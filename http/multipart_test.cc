// multipart/form-data (RFC 7578, RFC 2046 section 5.1): what is one, what is not, and that it makes
// no difference where the bytes are cut.

#include "strata/http/multipart.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

// What a form consists of, as text: "PART name=a", "DATA bytes", "PART END", "END". Data are
// joined.
class Recorder final : public MultipartHandler {
 public:
  bool OnPart(const MultipartPart& part) override {
    std::string text = "PART name=" + std::string(part.name);
    if (part.filename) text += " filename=" + std::string(*part.filename);
    if (!part.content_type.empty()) text += " type=" + std::string(part.content_type);
    for (const MultipartField& field : part.fields) {
      fields.push_back(std::string(field.name) + "|" + std::string(field.value));
    }
    return Record(text);
  }

  bool OnData(std::string_view bytes) override {
    EXPECT_FALSE(bytes.empty());
    ++pieces;
    if (!events.empty() && events.back().starts_with("DATA ")) {
      events.back() += bytes;
      return events.size() != stop_at;
    }
    return Record("DATA " + std::string(bytes));
  }

  bool OnPartEnd() override { return Record("PART END"); }
  bool OnEnd() override { return Record("END"); }

  std::vector<std::string> events;
  std::vector<std::string> fields;
  int pieces = 0;
  std::size_t stop_at = 0;  // The number of the event that ends it.

 private:
  bool Record(const std::string& event) {
    events.push_back(event);
    return events.size() != stop_at;
  }
};

using Events = std::vector<std::string>;

struct Outcome {
  MultipartError error;
  Events events;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

void PrintTo(const Outcome& outcome, std::ostream* out) {
  *out << MultipartErrorName(outcome.error);
  for (const std::string& event : outcome.events) *out << "\n  " << event;
}

// Cuts before each of these positions.
Outcome ParseCut(std::string_view boundary, std::string_view body, std::vector<std::size_t> cuts,
                 const MultipartLimits& limits = {}) {
  Recorder recorder;
  MultipartParser parser(boundary, &recorder, limits);
  cuts.push_back(body.size());
  std::size_t from = 0;
  MultipartError error = MultipartError::kOk;
  for (const std::size_t cut : cuts) {
    // In memory of its own, so that the sanitizers see a read behind its end.
    const std::string piece(body.substr(from, cut - from));
    error = parser.Feed(piece);
    from = cut;
  }
  const MultipartError end = parser.Finish();
  if (error != MultipartError::kOk) {
    EXPECT_EQ(end, error);
  }
  return {end, recorder.events};
}

// Whole, in two pieces cut anywhere, and byte by byte: always the same.
Outcome Parse(std::string_view boundary, std::string_view body,
              const MultipartLimits& limits = {}) {
  const Outcome whole = ParseCut(boundary, body, {}, limits);
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i <= body.size(); ++i) {
    EXPECT_EQ(ParseCut(boundary, body, {i}, limits), whole) << "cut at " << i;
    all.push_back(i);
  }
  EXPECT_EQ(ParseCut(boundary, body, all, limits), whole) << "byte by byte";
  return whole;
}

constexpr std::string_view kDisposition = "Content-Disposition: form-data; name=\"a\"";

// A form with the boundary "B" of one part, with this header and this content.
std::string Form(std::string_view header, std::string_view content) {
  std::string form = "--B\r\n";
  return form.append(header).append("\r\n\r\n").append(content).append("\r\n--B--\r\n");
}

// As curl and browsers send it.
TEST(MultipartTest, FieldsAndFiles) {
  const std::string body =
      "------WebKitFormBoundaryX\r\n"
      "Content-Disposition: form-data; name=\"text\"\r\n"
      "\r\n"
      "Hello, World!\r\n"
      "------WebKitFormBoundaryX\r\n"
      "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n"
      "Content-Type: text/plain\r\n"
      "\r\n"
      "line 1\r\nline 2\r\n\r\n"
      "------WebKitFormBoundaryX\r\n"
      "Content-Disposition: form-data; name=\"nothing\"; filename=\"\"\r\n"
      "Content-Type: application/octet-stream\r\n"
      "\r\n"
      "\r\n"
      "------WebKitFormBoundaryX--\r\n";
  EXPECT_EQ(Parse("----WebKitFormBoundaryX", body),
            (Outcome{MultipartError::kOk,
                     {"PART name=text", "DATA Hello, World!", "PART END",
                      "PART name=file filename=a.txt type=text/plain", "DATA line 1\r\nline 2\r\n",
                      "PART END", "PART name=nothing filename= type=application/octet-stream",
                      "PART END", "END"}}));
}

TEST(MultipartTest, WhatLooksLikeADelimiterIsData) {
  for (const std::string content :
       {"\r",   "\r\n",       "\r\n-", "\r\n--", "\r\n--A",  "\r\n--b",           "--B",
        "x--B", "x--B--\r\n", "\r--B", "\n--B",  "\r\n\r\n", "\r\r\n--A",         "\r\n-\r\n--",
        "-",    "--",         "--A",   "\r\n-B", "\n\r\n-",  "\r\n--\r\n--\r\n--"}) {
    // At the start of a part, "--B" is a delimiter: see below.
    const bool at_start = content.starts_with("--B");
    const std::string data = at_start ? "y" + content : content;
    EXPECT_EQ(Parse("B", Form(kDisposition, data)),
              (Outcome{MultipartError::kOk, {"PART name=a", "DATA " + data, "PART END", "END"}}))
        << data;
  }
}

TEST(MultipartTest, LongBoundariesWithRepetitions) {
  const std::string boundary = "abababababababababababababababababababab";
  for (const std::string& content :
       {std::string("\r\n--ababab"), std::string("\r\n--") + boundary.substr(1),
        std::string("\r\n--") + boundary.substr(0, 39) + "x", boundary, boundary + boundary,
        std::string(300, 'a'), std::string(300, 'b'), std::string(300, '\r')}) {
    const std::string body = "--" + boundary + "\r\n" + std::string(kDisposition) + "\r\n\r\n" +
                             content + "\r\n--" + boundary + "--";
    EXPECT_EQ(Parse(boundary, body),
              (Outcome{MultipartError::kOk, {"PART name=a", "DATA " + content, "PART END", "END"}}))
        << content;
  }
}

TEST(MultipartTest, DelimitersAreFoundAtEveryPlace) {
  for (std::size_t before = 0; before < 70; ++before) {
    for (const char filler : {'x', '\r', '-'}) {
      const std::string data(before, filler);
      for (const std::size_t behind : {0, 1, 15, 16, 17, 40}) {
        const std::string body = Form(kDisposition, data) + std::string(behind, 'x');
        Outcome expected = {MultipartError::kOk, {"PART name=a"}};
        if (before > 0) expected.events.push_back("DATA " + data);
        expected.events.insert(expected.events.end(), {"PART END", "END"});
        ASSERT_EQ(ParseCut("B", body, {}), expected)
            << before << " before, " << behind << " behind";
      }
    }
  }
}

TEST(MultipartTest, PreambleEpilogueAndPaddingAreSkipped) {
  const std::string part = std::string(kDisposition) + "\r\n\r\nx";
  const Outcome expected = {MultipartError::kOk, {"PART name=a", "DATA x", "PART END", "END"}};
  for (const std::string& body :
       {"--B\r\n" + part + "\r\n--B--", "\r\n--B\r\n" + part + "\r\n--B--\r\n",
        "To whom it concerns:\r\nno MIME\r\n--B\r\n" + part + "\r\n--B--\r\nthe end\r\n--B\r\n",
        "x--B\r\n--B \t\r\n" + part + "\r\n--B--\t \r\n", "--B  \r\n" + part + "\r\n--B-- "}) {
    EXPECT_EQ(Parse("B", body), expected) << body;
  }
}

TEST(MultipartTest, AFormWithoutParts) {
  EXPECT_EQ(Parse("B", "--B--\r\n"), (Outcome{MultipartError::kOk, {"END"}}));
  EXPECT_EQ(Parse("B", "--B--"), (Outcome{MultipartError::kOk, {"END"}}));
}

// RFC 2046's grammar: body-part := MIME-part-headers [CRLF *OCTET].
TEST(MultipartTest, APartMayEndWithItsHeader) {
  EXPECT_EQ(Parse("B", "--B\r\n" + std::string(kDisposition) + "\r\n\r\n--B--"),
            (Outcome{MultipartError::kOk, {"PART name=a", "PART END", "END"}}));
}

TEST(MultipartTest, WithoutTheLastDelimiterItIsTruncated) {
  const std::string form = Form(kDisposition, "x");
  const std::size_t end = form.size() - 2;  // "--" ends it; CRLF may follow.
  for (std::size_t size = 0; size < end; ++size) {
    EXPECT_EQ(Parse("B", form.substr(0, size)).error, MultipartError::kTruncated) << size;
  }
  EXPECT_EQ(Parse("B", form.substr(0, end)).error, MultipartError::kOk);
  EXPECT_EQ(Parse("B", form.substr(0, end + 1)).error, MultipartError::kTruncated);
  EXPECT_EQ(Parse("B", "no form at all").error, MultipartError::kTruncated);
}

TEST(MultipartTest, DelimitersEndInNothingElse) {
  const std::string part = std::string(kDisposition) + "\r\n\r\nx";
  for (const std::string& body :
       {"--B\n" + part + "\r\n--B--", "--Bx\r\n" + part + "\r\n--B--", "--B-\r\n" + part,
        "--B\r" + part, "--B \n" + part, "--B x\r\n" + part, "--B\r\n" + part + "\r\n--Bx",
        "--B\r\n" + part + "\r\n--B\n", "--B\r\n" + part + "\r\n--B-x",
        "--B\r\n" + part + "\r\n--B--x", "--B\r\n" + part + "\r\n--B--\n",
        "--B\r\n" + part + "\r\n--B--\rx", "--B\r\n" + part + "\r\n--B---"}) {
    EXPECT_EQ(Parse("B", body).error, MultipartError::kBadDelimiter) << body;
  }
}

struct Header {
  std::string_view header;
  std::string_view part;  // As it is recorded.
};

TEST(MultipartTest, HeadersOfManyClients) {
  const std::vector<Header> headers = {
      {"content-disposition:form-data;name=a", "PART name=a"},
      {"CONTENT-DISPOSITION:  Form-Data ;\tNAME=\"a\" ; ", "PART name=a"},
      {"Content-Disposition: form-data; name=\"\"", "PART name="},
      {"Content-Disposition: form-data; name=\"a b;c=d\"", "PART name=a b;c=d"},
      {"Content-Disposition: form-data; filename=f; name=a", "PART name=a filename=f"},
      // Quotes: by curl until 7.80, by browsers.
      {"Content-Disposition: form-data; name=\"a\\\"b\\\\c\"", "PART name=a\"b\\c"},
      {"Content-Disposition: form-data; name=\"a%22b\"", "PART name=a%22b"},
      // A path, by old browsers.
      {"Content-Disposition: form-data; name=a; filename=\"C:\\dir\\file.txt\"",
       "PART name=a filename=C:\\dir\\file.txt"},
      {"Content-Disposition: form-data; name=\"\xc3\xb6\"; filename=\"\xe2\x82\xac.txt\"",
       "PART name=\xc3\xb6 filename=\xe2\x82\xac.txt"},
      {"Content-Disposition: form-data; name=a; filename=\"x\"; filename*=UTF-8''%e2%82%ac%20.txt",
       "PART name=a filename=\xe2\x82\xac .txt"},
      {"Content-Disposition: form-data; name=a; filename*=iso-8859-1'de'%f6",
       "PART name=a filename=\xc3\xb6"},
      {"Content-Disposition: form-data; name=a; name*=UTF-8''b; x=y", "PART name=a"},
      {"Content-Disposition: form-data; name=a\r\nContent-Type:text/plain;charset=utf-8\r\nX-A: b",
       "PART name=a type=text/plain;charset=utf-8"},
      {"Content-Transfer-Encoding: binary\r\nContent-Disposition: form-data; name=a",
       "PART name=a"},
      {"Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: 8BIT", "PART name=a"},
      {"Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: 7bit", "PART name=a"},
      {"Content-Disposition: form-data; name=a\r\nEmpty:\r\nBlank: \t ", "PART name=a"},
  };
  for (const Header& header : headers) {
    EXPECT_EQ(
        Parse("B", Form(header.header, "x")),
        (Outcome{MultipartError::kOk, {std::string(header.part), "DATA x", "PART END", "END"}}))
        << header.header;
  }
}

TEST(MultipartTest, AllFieldsAreTold) {
  Recorder recorder;
  MultipartParser parser("B", &recorder);
  const std::string form =
      Form("Content-Disposition: form-data; name=a\r\nX-A:  b c \t\r\nx-b:", "");
  EXPECT_EQ(parser.Feed(form), MultipartError::kOk);
  EXPECT_EQ(recorder.fields, (Events{"Content-Disposition|form-data; name=a", "X-A|b c", "x-b|"}));
}

TEST(MultipartTest, BadHeaders) {
  for (const std::string_view header :
       {"Content-Disposition", ": form-data; name=a", "Content-Disposition : form-data; name=a",
        "Content Disposition: form-data; name=a", "Content-Disposition: form-data;\r\n name=a",
        "Content-Disposition: form-data; name=a\r\n\tb",
        "Content-Disposition: form-data; name=a\nX: y",
        "Content-Disposition: form-data; name=a\rX: y",
        "Content-Disposition: form-data; name=\"\x01\"",
        "Content-Disposition: form-data; name=\"\x7f\"",
        "Content-Disposition: form-data; name=a\r\nContent-Type: a/b\r\nContent-Type: a/b"}) {
    EXPECT_EQ(Parse("B", Form(header, "x")), (Outcome{MultipartError::kBadHeader, {}})) << header;
  }
  const std::string null("Content-Disposition: form-data; name=\"a\0b\"", 42);
  EXPECT_EQ(Parse("B", Form(null, "x")).error, MultipartError::kBadHeader);
}

TEST(MultipartTest, BadDispositions) {
  for (const std::string_view header :
       {"X: y",
        "Content-Disposition:",
        "Content-Disposition: form-data",
        "Content-Disposition: attachment; name=a",
        "Content-Disposition: form-data name=a",
        "Content-Disposition: form-data; name",
        "Content-Disposition: form-data; name=",
        "Content-Disposition: form-data; name=\"a",
        "Content-Disposition: form-data; name=\"a\\\"",
        "Content-Disposition: form-data; name=a b",
        "Content-Disposition: form-data; name=a; x",
        "Content-Disposition: form-data; name = a",
        "Content-Disposition: form-data; filename=a",
        "Content-Disposition: form-data; name*=UTF-8''a",
        "Content-Disposition: form-data; name=a; name=a",
        "Content-Disposition: form-data; name=a; NAME=b",
        "Content-Disposition: form-data; name=a; filename=a; filename=b",
        "Content-Disposition: form-data; name=a; filename*=UTF-8''a; filename*=UTF-8''a",
        "Content-Disposition: form-data; name=a; filename*=a",
        "Content-Disposition: form-data; name=a; filename*=UTF-8''%ff",
        "Content-Disposition: form-data; name=a; filename*=\"UTF-8''a\"",
        "Content-Disposition: form-data; name=a; filename*=utf-16''a",
        "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=a"}) {
    EXPECT_EQ(Parse("B", Form(header, "x")), (Outcome{MultipartError::kBadDisposition, {}}))
        << header;
  }
  EXPECT_EQ(Parse("B", "--B\r\n\r\nx\r\n--B--").error, MultipartError::kBadDisposition);
}

TEST(MultipartTest, EncodingsOfMailAreRefused) {
  for (const std::string_view encoding : {"base64", "quoted-printable", "x", ""}) {
    const std::string header = std::string(kDisposition) + "\r\nContent-Transfer-Encoding: ";
    EXPECT_EQ(Parse("B", Form(header + std::string(encoding), "eA==")),
              (Outcome{MultipartError::kBadEncoding, {}}))
        << encoding;
  }
}

TEST(MultipartTest, PartsAreBounded) {
  const std::string part = "--B\r\n" + std::string(kDisposition) + "\r\n\r\nx\r\n";
  const MultipartLimits limits = {.max_parts = 2};
  EXPECT_EQ(Parse("B", part + part + "--B--", limits).error, MultipartError::kOk);
  const Outcome outcome = Parse("B", part + part + part + "--B--", limits);
  EXPECT_EQ(outcome.error, MultipartError::kTooManyParts);
  EXPECT_EQ(outcome.events.size(), 6u);
}

TEST(MultipartTest, HeadersAreBounded) {
  const std::size_t size = kDisposition.size() + 4;
  EXPECT_EQ(Parse("B", Form(kDisposition, "x"), {.max_header_bytes = size}).error,
            MultipartError::kOk);
  EXPECT_EQ(Parse("B", Form(kDisposition, "x"), {.max_header_bytes = size - 1}).error,
            MultipartError::kHeaderTooLarge);
  EXPECT_EQ(Parse("B", "--B\r\n" + std::string(101, 'x'), {.max_header_bytes = 100}).error,
            MultipartError::kHeaderTooLarge);
  EXPECT_EQ(Parse("B", "--B\r\n" + std::string(101, '\n'), {.max_header_bytes = 100}).error,
            MultipartError::kHeaderTooLarge);
}

TEST(MultipartTest, FieldsAreBounded) {
  const std::string header = std::string(kDisposition) + "\r\nA: b\r\nC: d";
  EXPECT_EQ(Parse("B", Form(header, "x"), {.max_fields = 3}).error, MultipartError::kOk);
  EXPECT_EQ(Parse("B", Form(header, "x"), {.max_fields = 2}).error, MultipartError::kTooManyFields);
}

TEST(MultipartTest, NamesAreBounded) {
  const MultipartLimits limits = {.max_name_bytes = 3, .max_filename_bytes = 4};
  const std::string start = "Content-Disposition: form-data; ";
  EXPECT_EQ(Parse("B", Form(start + "name=abc; filename=abcd", "x"), limits).error,
            MultipartError::kOk);
  for (const char* header :
       {"name=abcd", "name=abc; filename=abcde", "name=a; filename*=UTF-8''abcde"}) {
    EXPECT_EQ(Parse("B", Form(start + header, "x"), limits).error, MultipartError::kNameTooLong)
        << header;
  }
}

TEST(MultipartTest, BytesOfAPartAreBounded) {
  const MultipartLimits limits = {.max_part_bytes = 5};
  EXPECT_EQ(Parse("B", Form(kDisposition, "12345"), limits).error, MultipartError::kOk);
  EXPECT_EQ(Parse("B", Form(kDisposition, "\r\n--A"), limits).error, MultipartError::kOk);
  EXPECT_EQ(Parse("B", Form(kDisposition, "123456"), limits),
            (Outcome{MultipartError::kPartTooLarge, {"PART name=a", "DATA 12345"}}));
  EXPECT_EQ(Parse("B", Form(kDisposition, "12\r\n--A"), limits),
            (Outcome{MultipartError::kPartTooLarge, {"PART name=a", "DATA 12\r\n-"}}));
  // Of each part alone.
  const std::string part = "--B\r\n" + std::string(kDisposition) + "\r\n\r\n12345\r\n";
  EXPECT_EQ(Parse("B", part + part + "--B--", limits).error, MultipartError::kOk);
}

TEST(MultipartTest, BytesInAllAreBounded) {
  const std::string form = Form(kDisposition, "12345");
  EXPECT_EQ(Parse("B", form, {.max_body_bytes = form.size()}).error, MultipartError::kOk);
  EXPECT_EQ(Parse("B", form, {.max_body_bytes = form.size() - 1}).error,
            MultipartError::kBodyTooLarge);
  EXPECT_EQ(Parse("B", form, {.max_body_bytes = form.find("12345") + 2}),
            (Outcome{MultipartError::kBodyTooLarge, {"PART name=a", "DATA 12"}}));
}

TEST(MultipartTest, PaddingIsBounded) {
  const std::string part = std::string(kDisposition) + "\r\n\r\nx";
  const std::string body = "12345\r\n--B  \r\n" + part + "\r\n--B \r\n" + part + "\r\n--B-- \r\n67";
  EXPECT_EQ(Parse("B", body, {.max_padding_bytes = 11}).error, MultipartError::kOk);
  EXPECT_EQ(Parse("B", body, {.max_padding_bytes = 10}).error, MultipartError::kPaddingTooLarge);
  EXPECT_EQ(Parse("B", body, {.max_padding_bytes = 8}).error, MultipartError::kPaddingTooLarge);
  EXPECT_EQ(Parse("B", body, {.max_padding_bytes = 6}).error, MultipartError::kPaddingTooLarge);
  EXPECT_EQ(Parse("B", body, {.max_padding_bytes = 4}).error, MultipartError::kPaddingTooLarge);
}

TEST(MultipartTest, TheHandlerMayStopItAnywhere) {
  const std::string form = Form(kDisposition, "x");
  for (std::size_t stop_at = 1; stop_at <= 4; ++stop_at) {
    Recorder recorder;
    recorder.stop_at = stop_at;
    MultipartParser parser("B", &recorder);
    parser.Feed(form);
    EXPECT_EQ(parser.Finish(), MultipartError::kStopped) << stop_at;
    EXPECT_EQ(recorder.events.size(), stop_at);
    EXPECT_EQ(parser.Feed(form), MultipartError::kStopped);
    EXPECT_EQ(recorder.events.size(), stop_at);
  }
}

TEST(MultipartTest, AnErrorStays) {
  Recorder recorder;
  MultipartParser parser("B", &recorder);
  EXPECT_EQ(parser.Feed("--Bx"), MultipartError::kBadDelimiter);
  EXPECT_EQ(parser.Feed(Form(kDisposition, "x")), MultipartError::kBadDelimiter);
  EXPECT_EQ(parser.Finish(), MultipartError::kBadDelimiter);
  EXPECT_TRUE(recorder.events.empty());
}

// Views into what was fed.
class PlaceChecker final : public MultipartHandler {
 public:
  explicit PlaceChecker(std::string_view body) : body_(body) {}
  bool OnPart(const MultipartPart&) override { return true; }
  bool OnData(std::string_view bytes) override {
    EXPECT_GE(bytes.data(), body_.data());
    EXPECT_LE(bytes.data() + bytes.size(), body_.data() + body_.size());
    return true;
  }
  bool OnPartEnd() override { return true; }

 private:
  const std::string_view body_;
};

TEST(MultipartTest, DataIsNotCopied) {
  const std::string form = Form(kDisposition, std::string(100'000, 'x') + "\r\n--A");
  PlaceChecker checker(form);
  MultipartParser parser("B", &checker);
  EXPECT_EQ(parser.Feed(form), MultipartError::kOk);
  Recorder recorder;
  MultipartParser again("B", &recorder);
  again.Feed(form);
  EXPECT_EQ(recorder.pieces, 1);
}

// Any bytes in the parts, cut anywhere.
TEST(MultipartTest, RandomFormsComeBack) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  // Few letters, so that much looks like the delimiter.
  const std::string letters = "\r\n-B";
  for (int round = 0; round < 5000; ++round) {
    const std::string boundary(1 + random() % 4, 'B');
    const std::string delimiter = "\r\n--" + boundary;
    std::string body = delimiter.substr(2);
    Outcome expected = {MultipartError::kOk, {}};
    for (std::uint64_t part = random() % 4; part > 0; --part) {
      std::string data(random() % 30, '\0');
      for (char& c : data) c = letters[random() % letters.size()];
      // As composers have to: none that has the delimiter.
      if (("\r\n" + data + "\r\n").find(delimiter) != std::string::npos) continue;
      body.append("\r\n").append(kDisposition).append("\r\n\r\n").append(data).append(delimiter);
      expected.events.emplace_back("PART name=a");
      if (!data.empty()) expected.events.push_back("DATA " + data);
      expected.events.emplace_back("PART END");
    }
    expected.events.emplace_back("END");
    body += "--";
    std::vector<std::size_t> cuts(random() % 10);
    for (std::size_t& cut : cuts) cut = random() % (body.size() + 1);
    std::sort(cuts.begin(), cuts.end());
    ASSERT_EQ(ParseCut(boundary, body, cuts), expected) << body;
  }
}

TEST(MultipartBoundaryTest, IsThatOfRfc2046) {
  EXPECT_EQ(MultipartBoundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(MultipartBoundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\""), "a b");
  const std::string all = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  EXPECT_EQ(MultipartBoundary("multipart/form-data; boundary=" + all), all);
  EXPECT_EQ(MultipartBoundary("multipart/form-data; boundary=\"'()+_,-./:=?\""), "'()+_,-./:=?");
  const std::string longest(70, 'b');
  EXPECT_EQ(MultipartBoundary("multipart/form-data; boundary=" + longest), longest);

  for (const std::string& type :
       {std::string(""), std::string("multipart/form-data"),
        std::string("multipart/mixed; boundary=abc"), std::string("text/plain; boundary=abc"),
        std::string("multipart/form-data; boundary="),
        std::string("multipart/form-data; boundary=\"\""),
        std::string("multipart/form-data; boundary=\"a \""),
        std::string("multipart/form-data; boundary=a:b"),
        std::string("multipart/form-data; boundary=a!b"),
        std::string("multipart/form-data; boundary=\"a;b\""),
        std::string("multipart/form-data; boundary=\"a\tb\""),
        std::string("multipart/form-data; boundary=\"a\r\nb\""),
        std::string("multipart/form-data; boundary=\"\xc3\xb6\""),
        std::string("multipart/form-data; boundary=a; boundary=a"),
        std::string("multipart/form-data; boundary=") + longest + "b"}) {
    EXPECT_EQ(MultipartBoundary(type), std::nullopt) << type;
  }
}

TEST(MultipartErrorTest, BecomesAStatus) {
  EXPECT_TRUE(ToStatus(MultipartError::kOk).ok());
  EXPECT_EQ(ToStatus(MultipartError::kTruncated),
            absl::InvalidArgumentError("multipart: no last delimiter"));
  EXPECT_EQ(ToStatus(MultipartError::kPartTooLarge).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ToStatus(MultipartError::kStopped).code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace strata::http
