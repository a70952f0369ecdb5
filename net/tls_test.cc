// TLS streams over real sockets: against peers that carry a TLS session of their own over a plain
// blocking socket, against each other, and against OpenSSL's own programs.

#include "strata/net/tls.h"

#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "strata/crypto/tls_context.h"
#include "strata/net/connector.h"
#include "strata/net/file.h"
#include "strata/net/testing/server_test.h"
#include "strata/net/testing/streams.h"

namespace strata::net {
namespace {

using crypto::TlsResult;
using std::chrono::milliseconds;
using testing::Echo;
using testing::kLong;
using testing::LoopThread;
using testing::Pattern;
using testing::Peer;
using testing::TestHandler;

constexpr char kHost[] = "server.example";

// A server's identity, and a client that trusts it.
struct Sides {
  std::shared_ptr<const crypto::TlsIdentity> identity;
  std::string certificate_pem;
  std::string key_pem;
  crypto::TrustStore trust;
};

Sides MakeSides() {
  crypto::PrivateKey key = crypto::PrivateKey::Generate(crypto::KeyType::kP256).value();
  const crypto::Certificate certificate =
      crypto::MakeSelfSignedCertificate(key, {.dns_names = {kHost}, .ip_addresses = {"127.0.0.1"}})
          .value();
  std::string key_pem(key.ToPem().text());
  return {crypto::TlsIdentity::Create({certificate}, std::move(key)).value(), certificate.ToPem(),
          std::move(key_pem), crypto::TrustStore::FromCertificates({{certificate}}).value()};
}

// A blocking client: a session of crypto's over the test's own socket.
class TlsPeer {
 public:
  TlsPeer(const Address& address, const crypto::TlsClientContext& context,
          std::string_view host = kHost)
      : peer_(address), session_(context.NewSession(host).value()) {}

  bool Handshake() {
    while (true) {
      const TlsResult result = session_.Handshake(output_);
      Flush();
      if (result != TlsResult::kNeedInput) return result == TlsResult::kOk;
      if (!Fill()) return false;
    }
  }

  void Send(std::string_view bytes) {
    EXPECT_EQ(session_.Write(bytes, output_), TlsResult::kOk);
    Flush();
  }

  void EndSending() {
    EXPECT_EQ(session_.Shutdown(output_), TlsResult::kOk);
    Flush();
  }

  // Up to `count` bytes, or all before the end.
  std::string Receive(std::size_t count) {
    std::string received;
    std::vector<char> buffer(crypto::kTlsMaxPlaintextBytes);
    while (received.size() < count) {
      std::size_t size = 0;
      last_ = session_.Read(
          std::span(buffer).first(std::min(buffer.size(), count - received.size())), size, output_);
      Flush();
      received.append(buffer.data(), size);
      if (last_ == TlsResult::kNeedInput && Fill()) continue;
      if (last_ != TlsResult::kOk) break;
    }
    return received;
  }
  std::string ReceiveAll() { return Receive(std::string::npos); }

  // Of the last reading.
  TlsResult last() const { return last_; }

  Peer& raw() { return peer_; }
  crypto::TlsSession& session() { return session_; }

 private:
  void Flush() {
    if (!output_.empty()) peer_.Send(std::exchange(output_, {}));
  }

  bool Fill() {
    input_.resize(1 << 16);
    const ssize_t size = ::read(peer_.native(), input_.data(), input_.size());
    input_.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    session_.Lend(input_);
    return size > 0;
  }

  Peer peer_;
  crypto::TlsSession session_;
  TlsResult last_ = TlsResult::kOk;
  std::string input_;
  std::string output_;
};

class TlsTest : public testing::ServerTest {
 protected:
  std::unique_ptr<StreamHandler> Wrap(std::unique_ptr<StreamHandler> handler) override {
    return AcceptTls(server_, std::move(handler), tls_options_);
  }

  const Sides sides_ = MakeSides();
  std::shared_ptr<crypto::TlsServerContext> server_ =
      crypto::TlsServerContext::Create(sides_.identity, {.alpn = {"echo"}}).value();
  std::shared_ptr<crypto::TlsClientContext> client_ =
      crypto::TlsClientContext::Create({.authorities = sides_.trust, .alpn = {"echo"}}).value();
  TlsStreamOptions tls_options_;
};

TEST_F(TlsTest, EchoesAndEndsInOrder) {
  Listen([](TestHandler& handler) {
    Echo(handler);
    handler.on_open = [](Stream& stream) {
      ASSERT_NE(stream.tls(), nullptr);
      EXPECT_EQ(stream.tls()->alpn(), "echo");
      EXPECT_EQ(stream.tls()->version(), "TLSv1.3");
      EXPECT_EQ(stream.tls()->server_name(), kHost);
      EXPECT_EQ(stream.Write("welcome "), Error::kOk);
    };
  });
  TlsPeer peer(address(), *client_);
  ASSERT_TRUE(peer.Handshake());
  peer.Send("hello");
  EXPECT_EQ(peer.Receive(13), "welcome hello");
  peer.EndSending();
  EXPECT_EQ(peer.ReceiveAll(), "");
  EXPECT_EQ(peer.last(), TlsResult::kEnd);
  peer.raw().Close();
  EXPECT_EQ(NextEnd(), Error::kOk);
}

TEST_F(TlsTest, ManyBytesComeBackWholeWhateverTheBuffers) {
  ListenOptions options;
  options.stream.high_watermark_bytes = 64 * 1024;
  options.stream.low_watermark_bytes = 16 * 1024;
  Listen(Echo, options);
  TlsPeer peer(address(), *client_);
  ASSERT_TRUE(peer.Handshake());
  const std::string sent = Pattern(5'000'000);
  // What was sealed before is sent by another thread, for a session belongs to one.
  std::string sealed;
  EXPECT_EQ(peer.session().Write(sent, sealed), TlsResult::kOk);
  std::thread sender([&] { EXPECT_TRUE(peer.raw().Send(sealed)); });
  const std::string received = peer.Receive(sent.size());
  sender.join();
  EXPECT_TRUE(received == sent) << received.size();
  peer.EndSending();
  EXPECT_EQ(peer.ReceiveAll(), "");
  peer.raw().Close();
  EXPECT_EQ(NextEnd(), Error::kOk);
}

TEST_F(TlsTest, CloseSendsAllThatIsQueuedWhateverItsKind) {
  const auto shared = std::make_shared<const std::string>(Pattern(1'000'000));
  const std::string owned = Pattern(3'000'000);
  char path[] = "/tmp/strata_tls_XXXXXX";
  const int descriptor = ::mkstemp(path);
  ASSERT_GE(descriptor, 0);
  ASSERT_EQ(::write(descriptor, shared->data(), shared->size()),
            static_cast<ssize_t>(shared->size()));
  ::close(descriptor);
  absl::StatusOr<std::shared_ptr<const File>> file = File::Open(path);
  ::unlink(path);
  ASSERT_TRUE(file.ok()) << file.status();
  Listen([&](TestHandler& handler) {
    handler.on_open = [&](Stream& stream) {
      EXPECT_EQ(stream.Write("one,"), Error::kOk);
      EXPECT_EQ(stream.WriteOwned(owned), Error::kOk);
      EXPECT_EQ(stream.WriteFile(*file, 1'000, 500'000), Error::kOk);
      EXPECT_EQ(stream.WriteShared(shared), Error::kOk);
      EXPECT_EQ(stream.Write(",end"), Error::kOk);
      EXPECT_EQ(stream.WriteShared(nullptr), Error::kInvalidArgument);
      stream.Close();
      EXPECT_EQ(stream.Write("late"), Error::kClosed);
    };
  });
  TlsPeer peer(address(), *client_);
  ASSERT_TRUE(peer.Handshake());
  const std::string received = peer.ReceiveAll();
  EXPECT_EQ(peer.last(), TlsResult::kEnd);
  EXPECT_TRUE(received == "one," + owned + shared->substr(1'000, 500'000) + *shared + ",end")
      << received.size();
  peer.raw().Close();
  EXPECT_EQ(NextEnd(), Error::kOk);
}

TEST_F(TlsTest, AFileThatIsTooShortBreaksTheStream) {
  absl::StatusOr<std::shared_ptr<const File>> file = File::Open("/proc/self/exe");
  ASSERT_TRUE(file.ok());
  Listen([&](TestHandler& handler) {
    handler.on_open = [&](Stream& stream) { stream.WriteFile(*file, std::uint64_t{1} << 40, 10); };
  });
  TlsPeer peer(address(), *client_);
  ASSERT_TRUE(peer.Handshake());
  EXPECT_EQ(NextEnd(), Error::kEndOfFile);
}

TEST_F(TlsTest, EachHalfEndsByItself) {
  Listen([](TestHandler& handler) {
    handler.on_receive_end = [](Stream& stream) {
      stream.Write("answer");
      stream.CloseWrite();
      EXPECT_EQ(stream.Write("late"), Error::kClosed);
    };
  });
  TlsPeer peer(address(), *client_);
  ASSERT_TRUE(peer.Handshake());
  peer.Send("question");
  peer.EndSending();
  peer.raw().EndSending();
  EXPECT_EQ(peer.ReceiveAll(), "answer");
  EXPECT_EQ(peer.last(), TlsResult::kEnd);
  EXPECT_EQ(NextEnd(), Error::kOk);
}

TEST_F(TlsTest, AnEndWithoutANoticeIsTold) {
  std::atomic<bool> ended{false};
  Listen([&](TestHandler& handler) {
    handler.on_receive_end = [&](Stream&) { ended = true; };
    handler.on_closed = [](Stream& stream, Error) {
      EXPECT_TRUE(absl::IsDataLoss(stream.tls()->status()));
    };
  });
  TlsPeer peer(address(), *client_);
  ASSERT_TRUE(peer.Handshake());
  peer.Send("half of a ");
  peer.raw().EndSending();
  EXPECT_EQ(NextEnd(), Error::kTlsTruncated);
  EXPECT_FALSE(ended);
}

TEST_F(TlsTest, WhatIsNotTlsIsRefusedWithAnAlert) {
  std::atomic<bool> opened{false};
  Listen([&](TestHandler& handler) {
    handler.on_open = [&](Stream&) { opened = true; };
    handler.on_closed = [](Stream& stream, Error) {
      EXPECT_TRUE(absl::IsInvalidArgument(stream.tls()->status())) << stream.tls()->status();
    };
  });
  Peer peer(address());
  ASSERT_TRUE(peer.Send(std::string("\x16\x03\x01\x00\x05hello", 10)));
  // An alert (21) of the level fatal (2).
  const std::string alert = peer.ReceiveAll();
  ASSERT_EQ(alert.size(), 7u);
  EXPECT_EQ(alert[0], 21);
  EXPECT_EQ(alert[5], 2);
  peer.Close();
  EXPECT_EQ(NextEnd(), Error::kTls);
  EXPECT_FALSE(opened);
}

TEST_F(TlsTest, AHandshakeHasADeadline) {
  tls_options_.handshake_timeout = milliseconds(50);
  Listen(Echo);
  Peer silent(address());
  EXPECT_EQ(NextEnd(), Error::kTimedOut);
  // A byte now and then does not help.
  Peer slow(address());
  const std::string hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
  for (const char c : hello) {
    if (!slow.Send(std::string(1, c))) break;
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(NextEnd(), Error::kTimedOut);
}

TEST_F(TlsTest, AClientThatDoesNotTrustIsToldToTheServer) {
  Listen(Echo);
  TlsPeer peer(address(), *client_, "other.example");
  EXPECT_FALSE(peer.Handshake());
  EXPECT_TRUE(absl::IsPermissionDenied(peer.session().status())) << peer.session().status();
  peer.raw().Close();
  EXPECT_EQ(NextEnd(), Error::kTls);
}

TEST_F(TlsTest, PausedBytesWaitAndKeepTheirOrder) {
  std::string received;
  std::promise<StreamPtr> paused;
  std::promise<void> all;
  const std::string sent = Pattern(1'000'000);
  Listen([&](TestHandler& handler) {
    handler.on_receive = [&](Stream& stream, std::string_view bytes) {
      const bool first = received.empty();
      received += bytes;
      if (first) {
        EXPECT_EQ(stream.PauseReceive(), Error::kOk);
        paused.set_value(StreamPtr(&stream));
      }
      if (received.size() == sent.size()) all.set_value();
    };
  });
  TlsPeer peer(address(), *client_);
  ASSERT_TRUE(peer.Handshake());
  std::thread sender([&] { peer.Send(sent); });
  const StreamPtr stream = paused.get_future().get();
  const std::size_t before = thread_.Do([&] { return received.size(); });
  EXPECT_EQ(thread_.Do([&] { return received.size(); }), before);
  EXPECT_EQ(thread_.Do([&] { return stream->ResumeReceive(); }), Error::kOk);
  EXPECT_EQ(all.get_future().wait_for(kLong), std::future_status::ready);
  sender.join();
  EXPECT_TRUE(received == sent);
}

// Writes until the queue is full: in turns, for what the system's buffers take is gone by then.
struct Filler {
  void operator()(Stream& stream) {
    Error error = Error::kOk;
    for (int i = 0; i < 20 && error == Error::kOk; ++i) {
      error = stream.Write(*piece);
      if (error == Error::kOk) *accepted += piece->size();
    }
    if (error == Error::kOk) {
      EXPECT_EQ(stream.Post(*this), Error::kOk);
    } else {
      EXPECT_EQ(error, Error::kQueueFull);
      EXPECT_GT(stream.queued_bytes(), 900'000u);
      *is_full = true;
      full->set_value();
    }
  }

  const std::string* piece;
  std::size_t* accepted;
  bool* is_full;
  std::promise<void>* full;
};

TEST_F(TlsTest, APeerThatDoesNotReadFillsTheQueueAndNoMore) {
  ListenOptions options;
  options.stream.high_watermark_bytes = 64 * 1024;
  options.stream.low_watermark_bytes = 16 * 1024;
  options.stream.max_queued_bytes = 1024 * 1024;
  const std::string piece = Pattern(10'000);
  std::size_t accepted = 0;
  bool is_full = false;
  std::promise<void> full;
  Listen(
      [&](TestHandler& handler) {
        handler.on_open = [&](Stream& stream) {
          Filler{&piece, &accepted, &is_full, &full}(stream);
        };
        handler.on_writable = [&](Stream& stream) {
          EXPECT_LE(stream.queued_bytes(), 96 * 1024u);
          if (is_full) stream.Close();
        };
      },
      options);
  TlsPeer peer(address(), *client_);
  ASSERT_TRUE(peer.Handshake());
  ASSERT_EQ(full.get_future().wait_for(kLong), std::future_status::ready);
  const std::string received = peer.ReceiveAll();
  EXPECT_EQ(peer.last(), TlsResult::kEnd) << "it was not told that it may write";
  EXPECT_EQ(received.size(), accepted);
  peer.raw().Close();
  EXPECT_EQ(NextEnd(), Error::kOk);
}

// Above the high watermark before it is encrypted and sent alone.
TEST_F(TlsTest, ABurstThatLeavesWithItsTurnIsToldToo) {
  ListenOptions options;
  options.stream.high_watermark_bytes = 1000;
  options.stream.low_watermark_bytes = 500;
  int writable = 0;
  Listen(
      [&](TestHandler& handler) {
        handler.on_open = [&](Stream& stream) { stream.Write(Pattern(1001)); };
        handler.on_writable = [&](Stream& stream) {
          if (++writable == 3) return stream.Close();
          stream.Write(Pattern(600));
          stream.Write(Pattern(401));
        };
      },
      options);
  TlsPeer peer(address(), *client_);
  ASSERT_TRUE(peer.Handshake());
  EXPECT_EQ(peer.ReceiveAll().size(), 3003u);
  peer.raw().Close();
  EXPECT_EQ(NextEnd(), Error::kOk);
  EXPECT_EQ(writable, 3);
}

TEST_F(TlsTest, OtherThreadsMayCloseAndPostAlone) {
  std::promise<StreamPtr> opened;
  Listen([&](TestHandler& handler) {
    handler.on_open = [&](Stream& stream) { opened.set_value(StreamPtr(&stream)); };
  });
  TlsPeer peer(address(), *client_);
  ASSERT_TRUE(peer.Handshake());
  const StreamPtr stream = opened.get_future().get();
  EXPECT_EQ(stream->Write("no"), Error::kWrongThread);
  EXPECT_EQ(stream->ResumeReceive(), Error::kWrongThread);
  EXPECT_EQ(stream->Post([](Stream& s) { EXPECT_EQ(s.Write("posted"), Error::kOk); }), Error::kOk);
  EXPECT_EQ(peer.Receive(6), "posted");
  stream->Close();
  stream->Close();
  EXPECT_EQ(peer.ReceiveAll(), "");
  EXPECT_EQ(peer.last(), TlsResult::kEnd);
  peer.raw().Close();
  EXPECT_EQ(NextEnd(), Error::kOk);
  EXPECT_EQ(thread_.Do([&] { return stream->Write("late"); }), Error::kClosed);
  thread_.End();
  EXPECT_EQ(stream->Post([](Stream&) {}), Error::kClosed);
  stream->Abort();
}

TEST_F(TlsTest, AStreamGetsAnotherHandler) {
  Listen([](TestHandler& handler) {
    handler.on_receive = [](Stream& stream, std::string_view bytes) {
      auto next = std::make_unique<TestHandler>();
      Echo(*next);
      EXPECT_EQ(stream.SetHandler(std::move(next)), Error::kOk);
      stream.Write("<" + std::string(bytes) + ">");
    };
  });
  TlsPeer peer(address(), *client_);
  ASSERT_TRUE(peer.Handshake());
  peer.Send("one");
  EXPECT_EQ(peer.Receive(5), "<one>");
  peer.Send("two");
  EXPECT_EQ(peer.Receive(3), "two");
}

TEST_F(TlsTest, CertificatesAreReplacedWhileConnectionsStay) {
  Listen(Echo);
  TlsPeer before(address(), *client_);
  ASSERT_TRUE(before.Handshake());
  const Sides renewed = MakeSides();
  server_->SetIdentity(renewed.identity);
  server_->RotateTicketKeys();
  server_->RotateTicketKeys();
  const auto client = crypto::TlsClientContext::Create({.authorities = renewed.trust}).value();
  TlsPeer after(address(), *client);
  EXPECT_TRUE(after.Handshake());
  TlsPeer stranger(address(), *client_);
  EXPECT_FALSE(stranger.Handshake());
  before.Send("still there");
  EXPECT_EQ(before.Receive(11), "still there");
}

TEST_F(TlsTest, ADrainingLoopClosesItsStreams) {
  Listen(Echo);
  TlsPeer peer(address(), *client_);
  ASSERT_TRUE(peer.Handshake());
  peer.Send("x");
  EXPECT_EQ(peer.Receive(1), "x");
  Peer in_handshake(address());
  thread_.loop().Drain(std::chrono::seconds(20));
  EXPECT_EQ(peer.ReceiveAll(), "");
  EXPECT_EQ(peer.last(), TlsResult::kEnd);
  peer.raw().Close();
  EXPECT_EQ(in_handshake.ReceiveAll(), "");
  in_handshake.Close();
}

TEST_F(TlsTest, ALoopThatEndsEndsItsStreams) {
  Listen([](TestHandler& handler) {
    handler.on_open = [](Stream& stream) { stream.WriteOwned(Pattern(10'000'000)); };
  });
  TlsPeer peer(address(), *client_);
  ASSERT_TRUE(peer.Handshake());
  Peer in_handshake(address());
  ASSERT_TRUE(in_handshake.Send("\x16"));
  EXPECT_EQ(peer.Receive(100).size(), 100u);
  thread_.End();
  EXPECT_EQ(NextEnd(), Error::kCancelled);
}

// Both ends by this library, many at a time, resumed where they can be.
TEST_F(TlsTest, ClientsOfThisLibraryConnect) {
  Listen(Echo);
  Resolver resolver;
  std::atomic<int> resumed{0};
  for (int round = 0; round < 2; ++round) {
    constexpr int kClients = 20;
    std::promise<void> done;
    std::atomic<int> left{kClients};
    std::atomic<int> good{0};
    const std::string text = Pattern(100'000);
    thread_.Do([&] {
      for (int i = 0; i < kClients; ++i) {
        auto handler = std::make_unique<TestHandler>();
        handler->on_open = [&](Stream& stream) {
          resumed += stream.tls()->resumed() ? 1 : 0;
          EXPECT_EQ(stream.Write(text), Error::kOk);
        };
        handler->on_receive = [&, received = std::make_shared<std::string>()](
                                  Stream& stream, std::string_view bytes) {
          *received += bytes;
          if (received->size() < text.size()) return;
          good += *received == text ? 1 : 0;
          stream.Close();
        };
        handler->on_closed = [&](Stream&, Error error) {
          EXPECT_EQ(error, Error::kOk);
          if (--left == 0) done.set_value();
        };
        auto wrapped = ConnectTls(*client_, kHost, std::move(handler));
        ASSERT_TRUE(wrapped.ok());
        Connect(thread_.loop(), resolver, address().ToString(), *std::move(wrapped),
                [](absl::Status status) { EXPECT_TRUE(status.ok()) << status; });
      }
    });
    ASSERT_EQ(done.get_future().wait_for(kLong), std::future_status::ready);
    EXPECT_EQ(good, kClients);
  }
  EXPECT_GT(resumed, 0);
  EXPECT_TRUE(absl::IsInvalidArgument(
      ConnectTls(*client_, "no host", std::make_unique<TestHandler>()).status()));
}

TEST_F(TlsTest, AClientLearnsWhyItDoesNotTrust) {
  Listen(Echo);
  Resolver resolver;
  std::promise<std::pair<Error, absl::Status>> closed;
  thread_.Do([&] {
    auto handler = std::make_unique<TestHandler>();
    handler->on_open = [](Stream&) { ADD_FAILURE() << "opened"; };
    handler->on_closed = [&](Stream& stream, Error error) {
      closed.set_value({error, stream.tls()->status()});
    };
    Connect(thread_.loop(), resolver, address().ToString(),
            ConnectTls(*client_, "other.example", std::move(handler)).value(), [](absl::Status) {});
  });
  const auto [error, status] = closed.get_future().get();
  EXPECT_EQ(error, Error::kTls);
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  EXPECT_EQ(NextEnd(), Error::kTls);
}

// Runs a command, and returns what it prints.
std::string RunCommand(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string output;
  std::array<char, 4096> buffer;
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), size);
  }
  ::pclose(pipe);
  return output;
}

std::string WriteTemporary(const std::string& name, const std::string& text) {
  const std::string path = ::testing::TempDir() + "/" + name;
  std::FILE* file = std::fopen(path.c_str(), "w");
  std::fwrite(text.data(), 1, text.size(), file);
  std::fclose(file);
  return path;
}

TEST_F(TlsTest, OpenSslsClientIsServed) {
  Listen([](TestHandler& handler) {
    Echo(handler);
    handler.on_open = [](Stream& stream) { stream.Write("<"); };
    handler.on_receive_end = [](Stream& stream) {
      stream.Write(">");
      stream.Close();
    };
  });
  const std::string authority = WriteTemporary("authority.pem", sides_.certificate_pem);
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    const std::string output = RunCommand(
        "(echo hello; sleep 0.3) | timeout 20 openssl s_client -quiet -no_ign_eof "
        "-verify_return_error -alpn echo -servername server.example -verify_hostname "
        "server.example " +
        std::string(version) + " -CAfile " + authority + " -connect " + address().ToString() +
        " 2>&1");
    EXPECT_NE(output.find("<hello\n"), output.npos) << output;
  }
  const std::string refused =
      RunCommand("echo | timeout 20 openssl s_client -verify_return_error -CAfile " + authority +
                 " -verify_hostname other.example -connect " + address().ToString() + " 2>&1");
  EXPECT_NE(refused.find("ostname mismatch"), refused.npos) << refused;
}

TEST_F(TlsTest, OpenSslsServerIsReached) {
  const std::string chain = WriteTemporary("chain.pem", sides_.certificate_pem);
  const std::string key = WriteTemporary("key.pem", sides_.key_pem);
  // It says where it listens, serves one connection, and writes lines back reversed.
  std::FILE* server = ::popen(("exec timeout 20 openssl s_server -accept 127.0.0.1:0 -naccept 1 "
                               "-rev -alpn echo -cert " +
                               chain + " -key " + key + " 2>&1")
                                  .c_str(),
                              "r");
  ASSERT_NE(server, nullptr);
  std::array<char, 1000> line = {};
  std::string where;
  while (where.empty() && std::fgets(line.data(), line.size(), server) != nullptr) {
    const std::string_view text(line.data());
    if (text.starts_with("ACCEPT ")) where = text.substr(7, text.find('\n') - 7);
  }
  ASSERT_FALSE(where.empty());

  Resolver resolver;
  std::promise<Error> closed;
  std::string received;
  thread_.Do([&] {
    auto handler = std::make_unique<TestHandler>();
    handler->on_open = [](Stream& stream) {
      EXPECT_EQ(stream.tls()->alpn(), "echo");
      stream.Write("hello\n");
    };
    handler->on_receive = [&](Stream& stream, std::string_view bytes) {
      received += bytes;
      if (received.ends_with('\n')) stream.Close();
    };
    handler->on_closed = [&](Stream&, Error error) { closed.set_value(error); };
    Connect(thread_.loop(), resolver, where,
            ConnectTls(*client_, "127.0.0.1", std::move(handler)).value(),
            [](absl::Status status) { EXPECT_TRUE(status.ok()) << status; });
  });
  EXPECT_EQ(closed.get_future().get(), Error::kOk);
  EXPECT_EQ(received, "olleh\n");
  ::pclose(server);
}

}  // namespace
}  // namespace strata::net
