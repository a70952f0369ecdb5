// Content codings of a server: responses that are encoded, and requests that are decoded.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/http/brotli_coding.h"
#include "strata/http/gzip_coding.h"
#include "strata/http/server.h"
#include "strata/http/testing/wire.h"
#include "strata/net/file.h"
#include "strata/net/loop.h"
#include "strata/net/mailbox.h"

namespace strata::http {
namespace {

using testing::WireClient;
using testing::WireResponse;

std::string Text(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += absl::StrCat("line ", i * i, "\n");
  text.resize(size);
  return text;
}

std::string Decoded(const absl::StatusOr<std::shared_ptr<const CodingFactory>>& factory,
                    std::string_view encoded) {
  const std::unique_ptr<Decoder> decoder = (*factory)->NewDecoder();
  EXPECT_TRUE(decoder->Reset({.max_bytes = std::uint64_t{1} << 30, .max_ratio = 1 << 20}));
  std::string text;
  EXPECT_EQ(decoder->AppendAll(encoded, &text), CodingError::kOk);
  EXPECT_EQ(decoder->Finish(), CodingError::kOk);
  return text;
}

std::string Gunzip(std::string_view encoded) { return Decoded(NewGzipCoding(), encoded); }

std::string Gzip(std::string_view text) {
  std::string encoded;
  EXPECT_EQ(NewGzipCoding().value()->NewEncoder()->Append(text, Encoder::Flush::kFinish, &encoded),
            CodingError::kOk);
  return encoded;
}

std::string Ask(std::string_view path, std::string_view accepted = "gzip",
                std::string_view method = "GET", std::string_view more = "") {
  return absl::StrCat(method, " ", path, " HTTP/1.1\r\nHost: a\r\nAccept-Encoding: ", accepted,
                      "\r\n", more, "\r\n");
}

std::string Post(std::string_view path, std::string_view coding, std::string_view body) {
  return absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: a\r\nContent-Encoding: ", coding,
                      "\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
}

class CompressionTest : public testing::WireTest {
 protected:
  void Start(Router router, ServerOptions options = {}) {
    options.compression.codings = {NewGzipCoding().value(), NewBrotliCoding().value(),
                                   NewDeflateCoding().value()};
    Serve(std::move(router), std::move(options));
  }

  // A server that answers GET / with this.
  void StartWith(absl::AnyInvocable<void(Response&) const> answer) {
    Router router;
    router.Get("/",
               [answer = std::move(answer)](Request&, Response& response) { answer(response); });
    Start(std::move(router));
  }

  WireResponse Get(std::string_view accepted = "gzip", std::string_view method = "GET",
                   std::string_view more = "") {
    WireClient client = Connect();
    return client.Ask(Ask("/", accepted, method, more));
  }
};

// ---- Responses ---------------------------------------------------------------------------------

TEST_F(CompressionTest, ATextIsEncodedAtOnce) {
  const std::string text = Text(20000);
  StartWith([&](Response& response) { response.SendText(text); });
  const WireResponse response = Get("gzip");
  EXPECT_EQ(response.Field("Content-Encoding"), "gzip");
  EXPECT_EQ(response.Field("Vary"), "Accept-Encoding");
  EXPECT_EQ(response.Field("Content-Length"), absl::StrCat(response.body.size()));
  EXPECT_LT(response.body.size(), text.size() / 2);
  EXPECT_EQ(Gunzip(response.body), text);
  // Of equals the first, in the order of the options.
  EXPECT_EQ(Get("br, gzip").Field("Content-Encoding"), "gzip");
  const WireResponse brotli = Get("gzip;q=0.5, br");
  EXPECT_EQ(brotli.Field("Content-Encoding"), "br");
  EXPECT_EQ(Decoded(NewBrotliCoding(), brotli.body), text);
}

TEST_F(CompressionTest, AClientThatWantsNoneIsToldThatOthersGetOne) {
  const std::string text = Text(20000);
  StartWith([&](Response& response) { response.SendText(text); });
  for (const std::string_view accepted : {"identity", "zstd", "gzip;q=0", "", "gzip;;"}) {
    const WireResponse response = Get(accepted);
    EXPECT_EQ(response.Field("Content-Encoding"), "-") << accepted;
    EXPECT_EQ(response.Field("Vary"), "Accept-Encoding") << accepted;
    EXPECT_EQ(response.body, text) << accepted;
  }
}

TEST_F(CompressionTest, TheConnectionGoesOn) {
  StartWith([](Response& response) { response.SendText(Text(500000)); });
  WireClient client = Connect();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Gunzip(client.Ask(Ask("/")).body), Text(500000));
  }
  client.Send(Ask("/") + Ask("/", "identity"));
  EXPECT_EQ(client.Read().Field("Content-Encoding"), "gzip");
  EXPECT_EQ(client.Read().body, Text(500000));
}

TEST_F(CompressionTest, ALargeBodyIsEncodedAsItIsSent) {
  const std::string text = Text(3 << 20);
  StartWith([&](Response& response) { response.SendText(text); });
  const WireResponse response = Get();
  EXPECT_EQ(response.Field("Content-Encoding"), "gzip");
  EXPECT_EQ(response.Field("Content-Length"), "-");
  EXPECT_EQ(response.Field("Transfer-Encoding"), "chunked");
  EXPECT_TRUE(Gunzip(response.body) == text);
}

TEST_F(CompressionTest, PartsOfEveryKind) {
  const std::string path = ::testing::TempDir() + "/compression_test";
  const std::string in_file = Text(200000);
  std::FILE* const written = std::fopen(path.c_str(), "w");
  ASSERT_EQ(std::fwrite(in_file.data(), 1, in_file.size(), written), in_file.size());
  std::fclose(written);
  const auto file = net::File::Open(path).value();
  for (const std::uint64_t file_bytes : {std::uint64_t{1000}, std::uint64_t{190000}}) {
    StartWith([&](Response& response) {
      ReplyBody body(Text(100000));
      body.AddPart(std::string());
      body.AddPart(std::make_shared<const std::string>("shared"));
      body.AddPart(FileRange{file, 10, file_bytes});
      response.Set(FieldId::kContentType, "text/plain");
      response.Send(std::move(body));
    });
    EXPECT_TRUE(Gunzip(Get().body) == Text(100000) + "shared" + in_file.substr(10, file_bytes));
  }
}

TEST_F(CompressionTest, AFileThatHasBecomeShorterBreaksTheConnection) {
  const std::string path = ::testing::TempDir() + "/compression_test_short";
  std::fclose(std::fopen(path.c_str(), "w"));
  const auto file = net::File::Open(path).value();
  StartWith([&](Response& response) {
    response.Set(FieldId::kContentType, "text/plain");
    response.Send(ReplyBody(FileRange{file, 0, 1 << 20}));
  });
  EXPECT_EQ(Get().status, 0);
}

TEST_F(CompressionTest, AProducersBodyIsEncoded) {
  StartWith([](Response& response) {
    response.Set(FieldId::kContentType, "application/json");
    response.Send(ReplyBody(std::nullopt, [i = 0](std::string& out) mutable {
      out += absl::StrCat("[", i, "]");
      return ++i < 100000 ? Produced::kMore : Produced::kEnd;
    }));
  });
  std::string expected;
  for (int i = 0; i < 100000; ++i) expected += absl::StrCat("[", i, "]");
  const WireResponse response = Get();
  EXPECT_EQ(response.Field("Transfer-Encoding"), "chunked");
  EXPECT_TRUE(Gunzip(response.body) == expected);
}

TEST_F(CompressionTest, AProducerStillHasToMakeWhatItHasSaid) {
  Router router;
  for (const std::size_t made : {1999u, 2000u, 2001u}) {
    router.Get(absl::StrCat("/", made), [made](Request&, Response& response) {
      response.Set(FieldId::kContentType, "text/plain");
      response.Send(ReplyBody(2000, [made](std::string& out) {
        out = Text(made);
        return Produced::kEnd;
      }));
    });
  }
  Start(std::move(router));
  EXPECT_EQ(Connect().Ask(Ask("/1999")).status, 0);
  EXPECT_EQ(Gunzip(Connect().Ask(Ask("/2000")).body), Text(2000));
  EXPECT_EQ(Connect().Ask(Ask("/2001")).status, 0);
}

// However little a body becomes, so that the queue never fills, others have their turn in between.
TEST_F(CompressionTest, WhatShrinksToNothingDoesNotHoldTheLoop) {
  std::atomic<int> calls = 0;
  std::atomic<int> calls_before_others = 0;
  StartWith([&](Response& response) {
    response.Set(FieldId::kContentType, "text/plain");
    response.Send(ReplyBody(std::nullopt, [&, &loop = response.loop()](std::string& out) {
      if (++calls == 1) loop.mailbox()->PostAlways([&] { calls_before_others = calls.load(); });
      out.append(32768, 'x');
      return calls < 1000 ? Produced::kMore : Produced::kEnd;
    }));
  });
  EXPECT_TRUE(Gunzip(Get().body) == std::string(1000 * 32768, 'x'));
  EXPECT_GE(calls_before_others, 1);
  EXPECT_LE(calls_before_others, 8);
}

TEST_F(CompressionTest, EachPieceOfAStreamCanBeReadAsItComes) {
  std::optional<BodyWriter> writer;
  std::atomic<bool> started = false;
  Router router;
  router.Get("/", [&](Request&, Response& response) {
    ReplyHead head;
    head.Set(FieldId::kContentType, "text/event-stream");
    writer = response.Defer().Start(std::move(head));
    EXPECT_EQ(writer->Write("data: 0\n\n"), net::Error::kOk);
    started = true;
  });
  Start(std::move(router));
  WireClient client = Connect();
  client.Send(Ask("/"));
  const std::unique_ptr<Decoder> decoder = NewGzipCoding().value()->NewDecoder();
  ASSERT_TRUE(decoder->Reset({}));
  std::string wire, text;
  // The head, and one chunk for each event.
  while (wire.find("\r\n\r\n") == std::string::npos) wire += client.peer().Receive(1);
  EXPECT_NE(wire.find("Content-Encoding: gzip\r\n"), std::string::npos);
  for (int i = 0; i < 3; ++i) {
    std::string size;
    while (!size.ends_with("\r\n")) size += client.peer().Receive(1);
    const std::string chunk = client.peer().Receive(std::stoul(size, nullptr, 16) + 2);
    ASSERT_EQ(decoder->AppendAll(std::string_view(chunk).substr(0, chunk.size() - 2), &text),
              CodingError::kOk);
    EXPECT_TRUE(text.ends_with(absl::StrCat("data: ", i, "\n\n"))) << text;
    ASSERT_TRUE(Eventually([&] { return started.load(); }));
    EXPECT_EQ(writer->Write(absl::StrCat("data: ", i + 1, "\n\n")), net::Error::kOk);
  }
  writer->Finish();
}

TEST_F(CompressionTest, EntityTagsBecomeWeakAndRangesAreNotToBeHad) {
  StartWith([](Response& response) {
    response.Set(FieldId::kEtag, "\"tag\"");
    response.Set(FieldId::kAcceptRanges, "bytes");
    response.Set(FieldId::kVary, "Origin");
    response.SendText(Text(5000));
  });
  const WireResponse encoded = Get();
  EXPECT_EQ(encoded.Field("ETag"), "W/\"tag\"");
  EXPECT_EQ(encoded.Field("Accept-Ranges"), "none");
  EXPECT_EQ(encoded.Field("Vary"), "Origin, Accept-Encoding");
  const WireResponse plain = Get("identity");
  EXPECT_EQ(plain.Field("ETag"), "\"tag\"");
  EXPECT_EQ(plain.Field("Accept-Ranges"), "bytes");
}

// RFC 9110 section 15.4.5, RFC 9111 section 4.3.4.
TEST_F(CompressionTest, NotModifiedNamesTheTagThatTheClientHas) {
  StartWith([](Response& response) {
    response.set_status(304);
    response.Set(FieldId::kEtag, "\"tag\"");
    response.SendNothing();
  });
  const WireResponse weak = Get("gzip", "GET", "If-None-Match: W/\"tag\"\r\n");
  EXPECT_EQ(weak.status, 304);
  EXPECT_EQ(weak.Field("ETag"), "W/\"tag\"");
  EXPECT_EQ(weak.Field("Vary"), "Accept-Encoding");
  EXPECT_EQ(weak.Field("Content-Encoding"), "-");
  EXPECT_EQ(Get("gzip", "GET", "If-None-Match: \"tag\"\r\n").Field("ETag"), "\"tag\"");
}

TEST_F(CompressionTest, HeadHasTheFieldsOfGet) {
  Router router;
  for (const std::size_t size : {5000u, 500000u}) {
    router.Get(absl::StrCat("/", size),
               [size](Request&, Response& response) { response.SendText(Text(size)); });
  }
  Start(std::move(router));
  WireClient client = Connect();
  for (const std::string_view path : {"/5000", "/500000"}) {
    const WireResponse get = client.Ask(Ask(path));
    const WireResponse head = client.Ask(Ask(path, "gzip", "HEAD"));
    EXPECT_EQ(head.body, "");
    for (const std::string_view name :
         {"Content-Encoding", "Content-Length", "Transfer-Encoding", "Vary"}) {
      EXPECT_EQ(head.Field(name), get.Field(name)) << path << " " << name;
    }
  }
}

TEST_F(CompressionTest, WhatStaysAsItIs) {
  struct Case {
    std::string_view name;
    int status = 200;
    FieldId id = FieldId::kOther;
    std::string_view value;
    std::size_t size = 5000;
  };
  constexpr Case kCases[] = {
      {.name = "small", .value = "", .size = 1023},
      {.name = "image", .id = FieldId::kContentType, .value = "image/png"},
      {.name = "encoded", .id = FieldId::kContentEncoding, .value = "zstd"},
      {.name = "no-transform", .id = FieldId::kCacheControl, .value = "no-transform"},
      {.name = "part", .status = 206, .value = ""},
      {.name = "range", .id = FieldId::kContentRange, .value = "bytes 0-4999/9999"},
      {.name = "none", .status = 204, .value = ""},
  };
  for (const Case& c : kCases) {
    StartWith([&](Response& response) {
      response.set_status(c.status);
      // A second Cache-Control counts too.
      if (c.id == FieldId::kCacheControl) response.Set(c.id, "no-cache");
      if (c.id != FieldId::kOther) response.Add(FieldName(c.id), c.value);
      response.SendText(Text(c.size));
    });
    const WireResponse response = Get();
    EXPECT_EQ(response.status, c.status) << c.name;
    EXPECT_EQ(response.Field("Content-Encoding"), c.name == "encoded" ? "zstd" : "-") << c.name;
    EXPECT_EQ(response.Field("Vary"), "-") << c.name;
    EXPECT_EQ(response.body, c.status == 204 ? "" : Text(c.size)) << c.name;
  }
}

TEST_F(CompressionTest, WhatWouldNotShrinkIsSentAsItIs) {
  std::string noise = Gzip(Text(100000));
  StartWith([&](Response& response) { response.SendText(noise); });
  const WireResponse response = Get();
  EXPECT_EQ(response.Field("Content-Encoding"), "-");
  EXPECT_EQ(response.Field("Content-Length"), absl::StrCat(noise.size()));
  EXPECT_TRUE(response.body == noise);
}

TEST_F(CompressionTest, AClientOfHttp10GetsItAsItIs) {
  StartWith([](Response& response) { response.SendText(Text(5000)); });
  WireClient client = Connect();
  const WireResponse response =
      client.Ask("GET / HTTP/1.0\r\nAccept-Encoding: gzip\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(response.Field("Content-Encoding"), "-");
  EXPECT_EQ(response.Field("Vary"), "Accept-Encoding");
  EXPECT_EQ(response.body, Text(5000));
}

TEST_F(CompressionTest, CurlUnpacksIt) {
  Router router;
  for (const std::size_t size : {20000u, 2000000u}) {
    router.Get(absl::StrCat("/", size),
               [size](Request&, Response& response) { response.SendText(Text(size)); });
  }
  Start(std::move(router));
  for (const std::size_t size : {20000u, 2000000u}) {
    const std::string command =
        absl::StrCat("curl -sSf --compressed http://", server().address().ToString(), "/", size);
    std::FILE* const curl = popen(command.c_str(), "r");
    std::string text(size + 1, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), curl));
    EXPECT_EQ(pclose(curl), 0);
    EXPECT_TRUE(text == Text(size));
  }
}

TEST_F(CompressionTest, SeveralFieldsAreOneList) {
  StartWith([](Response& response) { response.SendText(Text(5000)); });
  EXPECT_EQ(Get("gzip;q=0.5", "GET", "accept-encoding: br\r\n").Field("Content-Encoding"), "br");
}

TEST_F(CompressionTest, WithoutAnEncoderItGoesAsItIs) {
  Router router;
  router.Get("/", [](Request&, Response& response) { response.SendText(Text(5000)); });
  ServerOptions options;
  options.compression.pool.max_encoders = 0;
  Start(std::move(router), std::move(options));
  const WireResponse response = Get();
  EXPECT_EQ(response.Field("Content-Encoding"), "-");
  EXPECT_EQ(response.body, Text(5000));
}

TEST_F(CompressionTest, NothingIsEncodedByDefault) {
  Router router;
  router.Get("/", [](Request&, Response& response) { response.SendText(Text(5000)); });
  Serve(std::move(router));
  const WireResponse response = Get();
  EXPECT_EQ(response.Field("Content-Encoding"), "-");
  EXPECT_EQ(response.Field("Vary"), "-");
}

// ---- Requests ----------------------------------------------------------------------------------

// Tells what it got, and pauses behind each piece.
class Pauser final : public BodyReceiver {
 public:
  Pauser(Responder responder, BodyControl control, net::Loop& loop)
      : responder_(std::move(responder)), control_(std::move(control)), loop_(loop) {}

  void OnData(std::string_view bytes) override {
    EXPECT_FALSE(paused_);
    body_.append(bytes);
    paused_ = true;
    control_.Pause();
    loop_.mailbox()->PostAlways([this] {
      paused_ = false;
      control_.Resume();
    });
  }

  void OnEnd(const FieldList&) override {
    EXPECT_FALSE(paused_);
    responder_.Send(Reply(200, "application/octet-stream", std::move(body_)));
  }

 private:
  Responder responder_;
  BodyControl control_;
  net::Loop& loop_;
  std::string body_;
  bool paused_ = false;
};

class DecompressionTest : public CompressionTest {
 protected:
  void SetUp() override {
    Router router;
    router.Post("/echo",
                [](Request& request, Response& response) { response.Send(request.body()); });
    ServerOptions options;
    options.runtime.loops = 1;
    options.decompress_requests = true;
    options.limits.max_body_bytes = 100000;
    router.HandleStream(Method::kPost, "/paused",
                        [this](Request&, Responder responder, BodyControl control) {
                          return std::make_unique<Pauser>(std::move(responder), std::move(control),
                                                          server().runtime().loop(0));
                        });
    Start(std::move(router), std::move(options));
  }
};

TEST_F(DecompressionTest, HandlersGetTheBodyDecoded) {
  WireClient client = Connect();
  for (const std::size_t size : {0u, 5u, 100000u}) {
    const WireResponse response = client.Ask(Post("/echo", "gzip", Gzip(Text(size))));
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.body == Text(size));
  }
  EXPECT_EQ(client.Ask(Post("/echo", "identity", "as it is")).body, "as it is");
}

TEST_F(DecompressionTest, InPiecesAndChunksToo) {
  WireClient client = Connect();
  const std::string encoded = Gzip(Text(5000));
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: x-gzip\r\n"
      "Transfer-Encoding: chunked\r\n\r\n");
  for (std::size_t at = 0; at < encoded.size(); at += 100) {
    const std::string piece = encoded.substr(at, 100);
    client.Send(absl::StrCat(absl::Hex(piece.size()), "\r\n", piece, "\r\n"));
  }
  client.Send("0\r\n\r\n" + Post("/echo", "gzip", Gzip("next")));
  EXPECT_EQ(client.Read().body, Text(5000));
  EXPECT_EQ(client.Read().body, "next");
}

TEST_F(DecompressionTest, AReceiverThatPausesGetsNoPieceMeanwhile) {
  WireClient client = Connect();
  const std::string text = Text(2 << 20);
  client.Send(Post("/paused", "gzip", Gzip(text)) + Post("/echo", "gzip", Gzip("next")));
  const WireResponse response = client.Read();
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.body == text);
  EXPECT_EQ(client.Read().body, "next");
  // And of bodies without a coding: the pause behind the last piece ends too.
  EXPECT_EQ(client.Ask("POST /paused HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nlast").body,
            "last");
}

TEST_F(DecompressionTest, ABodyThatUnpacksToMoreThanItMayIs413) {
  EXPECT_EQ(Connect().Ask(Post("/echo", "gzip", Gzip(Text(100001)))).status, 413);
  EXPECT_EQ(Connect().Ask(Post("/echo", "gzip", Gzip(std::string(80 << 20, 'x')))).status, 413);
}

TEST_F(DecompressionTest, ABombIs413EvenIfAnySizeIsAllowed) {
  const std::string bomb = Gzip(std::string(64 << 20, 'x'));
  EXPECT_EQ(Connect().Ask(Post("/paused", "gzip", bomb)).status, 413);
}

TEST_F(DecompressionTest, WhatIsBrokenIs400) {
  const std::string encoded = Gzip(Text(1000));
  EXPECT_EQ(Connect().Ask(Post("/echo", "gzip", "no gzip at all")).status, 400);
  EXPECT_EQ(Connect().Ask(Post("/echo", "gzip", encoded + "x")).status, 400);
  const WireResponse cut =
      Connect().Ask(Post("/echo", "gzip", encoded.substr(0, encoded.size() - 1)));
  EXPECT_EQ(cut.status, 400);
  EXPECT_EQ(cut.Field("Connection"), "close");
  EXPECT_EQ(cut.body, "content coding: truncated data\n");
  EXPECT_EQ(Connect().Ask(Post("/paused", "gzip", encoded.substr(0, 50))).status, 400);
}

TEST_F(DecompressionTest, OtherCodingsAre415) {
  for (const std::string_view coding : {"zstd", "compress", "gzip, gzip", "gzip, br", "?"}) {
    const WireResponse response = Connect().Ask(Post("/echo", coding, "body"));
    EXPECT_EQ(response.status, 415) << coding;
    EXPECT_EQ(response.Field("Accept-Encoding"), "identity, gzip, br, deflate");
  }
}

TEST_F(CompressionTest, WithoutADecoderA503) {
  Router router;
  router.Post("/echo", [](Request& request, Response& response) { response.Send(request.body()); });
  ServerOptions options;
  options.compression.pool.max_decoders = 0;
  options.decompress_requests = true;
  Start(std::move(router), std::move(options));
  const WireResponse response = Connect().Ask(Post("/echo", "gzip", Gzip("a")));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.Field("Retry-After"), "1");
}

TEST_F(CompressionTest, RequestsStayAsTheyAreByDefault) {
  Router router;
  router.Post("/echo", [](Request& request, Response& response) { response.Send(request.body()); });
  Start(std::move(router));
  EXPECT_EQ(Connect().Ask(Post("/echo", "gzip", "anything")).body, "anything");
}

}  // namespace
}  // namespace strata::http
