// What only Linux has, or can tell: Unix sockets, files, descriptors that run out, and leaks
// counted in /proc/self/fd.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "strata/net/file.h"
#include "strata/net/runtime.h"
#include "strata/net/socket_internal.h"
#include "strata/net/successor.h"
#include "strata/net/tcp_connection.h"
#include "strata/net/tcp_listener.h"
#include "strata/net/testing/streams.h"
#include "strata/tests/process.h"

namespace strata::net {
namespace {

using std::chrono::milliseconds;
using strata::testing::OpenDescriptors;
using testing::LoopThread;
using testing::Peer;
using testing::TestHandler;

std::unique_ptr<TestHandler> EchoHandler() {
  auto handler = std::make_unique<TestHandler>();
  handler->on_receive = [](Stream& stream, std::string_view bytes) { stream.Write(bytes); };
  return handler;
}

std::unique_ptr<TcpListener> Listen(Loop& loop, const std::string& address,
                                    TcpListener::HandlerFactory factory,
                                    const ListenOptions& options = {}) {
  auto listener = TcpListener::Listen(loop, address, std::move(factory), options);
  EXPECT_TRUE(listener.ok()) << listener.status();
  return *std::move(listener);
}

// In a folder of its own, with a short path: a Unix socket's may have 107 bytes.
std::string TempPath(const std::string& name) {
  static const std::string* const folder = [] {
    char path[] = "/tmp/strata-net-XXXXXX";
    EXPECT_NE(::mkdtemp(path), nullptr);
    return new std::string(path);
  }();
  return *folder + "/" + name;
}

TEST(UnixSocketTest, EchoesByPathAndByAbstractName) {
  const std::string abstract = "unix:@strata-net-test-" + std::to_string(::getpid());
  for (const std::string& address : {"unix:" + TempPath("echo.sock"), abstract}) {
    LoopThread thread;
    auto listener = Listen(thread.loop(), address, EchoHandler);
    EXPECT_EQ(listener->address().ToString(), address);
    Peer peer(listener->address());
    peer.Send("hello");
    EXPECT_EQ(peer.Receive(5), "hello");
    peer.EndSending();
    EXPECT_EQ(peer.ReceiveAll(), "");
  }
}

TEST(UnixSocketTest, FileGoesWithItsListener) {
  const std::string path = TempPath("gone.sock");
  LoopThread thread;
  auto listener = Listen(thread.loop(), "unix:" + path, EchoHandler);
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  auto second = TcpListener::Listen(thread.loop(), "unix:" + path, EchoHandler);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  listener.reset();
  thread.Do([] {});
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST(UnixSocketTest, FileLeftByACrashIsReplacedButNoOtherFile) {
  const std::string path = TempPath("stale.sock");
  const Address address = *Address::Parse("unix:" + path);
  internal::CloseSocket(internal::OpenListener(address, {}).socket);
  ASSERT_EQ(::access(path.c_str(), F_OK), 0);
  LoopThread thread;
  Listen(thread.loop(), "unix:" + path, EchoHandler).reset();
  thread.Do([] {});

  std::ofstream(path) << "precious";
  EXPECT_EQ(TcpListener::Listen(thread.loop(), "unix:" + path, EchoHandler).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  ::unlink(path.c_str());
}

// ---- Sockets that are passed on ----------------------------------------------------------------

std::string Descriptor(NativeSocket socket) { return "fd:" + std::to_string(socket); }

TEST(PassedSocketTest, AcceptsOnASocketThatListensAlready) {
  const NativeSocket socket = internal::OpenListener(*Address::Parse("127.0.0.1:0"), {}).socket;
  const Address address = internal::LocalAddress(socket);
  // One that has connected before there was anybody to accept it.
  Peer early(address);
  early.Send("early");
  auto runtime = Runtime::Create({.loops = 3});
  ASSERT_TRUE(runtime.ok()) << runtime.status();
  auto listener = TcpListener::Listen(**runtime, Descriptor(socket), EchoHandler);
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_EQ((*listener)->address().ToString(), address.ToString());
  (*runtime)->Start();
  EXPECT_EQ(early.Receive(5), "early");
  for (int i = 0; i < 20; ++i) {
    Peer peer(address);
    peer.Send("hello");
    EXPECT_EQ(peer.Receive(5), "hello");
  }
  struct stat open = {};
  ASSERT_EQ(::fstat(socket, &open), 0);
  (*runtime)->Stop(milliseconds(0));
  // Something else, such as a sanitizer, may have been given the number.
  struct stat now = {};
  EXPECT_TRUE(::fstat(socket, &now) != 0 || now.st_ino != open.st_ino) << "closed";
}

TEST(PassedSocketTest, ASuccessorGoesOnWithAllSockets) {
  const std::size_t before = OpenDescriptors();
  {
    auto first = Runtime::Create({.loops = 2});
    auto second = Runtime::Create({.loops = 2});
    ASSERT_TRUE(first.ok() && second.ok());
    auto listener = TcpListener::Listen(**first, "127.0.0.1:0", EchoHandler);
    ASSERT_TRUE(listener.ok()) << listener.status();
    const Address address = (*listener)->address();
    std::vector<std::unique_ptr<TcpListener>> successors;
    for (const NativeSocket socket : (*listener)->DuplicateSockets()) {
      auto successor = TcpListener::Listen(**second, Descriptor(socket), EchoHandler);
      ASSERT_TRUE(successor.ok()) << successor.status();
      successors.push_back(*std::move(successor));
    }
    EXPECT_EQ(successors.size(), 2u) << "one of each loop";
    (*first)->Start();
    // Nobody accepts these: neither the first, which has closed, nor yet the second.
    (*first)->Stop(milliseconds(0));
    EXPECT_TRUE((*listener)->DuplicateSockets().empty());
    std::vector<Peer> peers;
    for (int i = 0; i < 20; ++i) {
      peers.emplace_back(address);
      peers.back().Send("hello");
    }
    (*second)->Start();
    for (Peer& peer : peers) EXPECT_EQ(peer.Receive(5), "hello");
    (*second)->Stop(milliseconds(0));
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(PassedSocketTest, WhatDoesNotListenIsNotTaken) {
  LoopThread thread;
  const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const internal::OwnedSocket datagrams(
      internal::OpenDatagram(*Address::Parse("127.0.0.1:0"), true, false).socket);
  for (const std::string& address :
       {std::string("fd:"), std::string("fd:x"), std::string("fd:-1"), std::string("fd:1x"),
        std::string("fd:99999999999"), std::string("fd:1000000"), Descriptor(file),
        Descriptor(datagrams.get())}) {
    EXPECT_EQ(TcpListener::Listen(thread.loop(), address, EchoHandler).status().code(),
              absl::StatusCode::kInvalidArgument)
        << address;
  }
  EXPECT_EQ(::close(file), 0) << "it is still ours";
}

TEST(PassedSocketTest, TheFileOfAUnixSocketStays) {
  const std::string path = TempPath("passed.sock");
  LoopThread thread;
  auto listener = Listen(thread.loop(), "unix:" + path, EchoHandler);
  const std::vector<NativeSocket> sockets = listener->DuplicateSockets();
  ASSERT_EQ(sockets.size(), 1u);
  listener.reset();
  thread.Do([] {});
  auto next = Listen(thread.loop(), Descriptor(sockets[0]), EchoHandler);
  EXPECT_EQ(next->address().ToString(), "unix:" + path);
  Peer peer(next->address());
  peer.Send("hello");
  EXPECT_EQ(peer.Receive(5), "hello");
  next.reset();
  thread.Do([] {});
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  ::unlink(path.c_str());
}

TEST(SuccessorTest, IsGivenTheSocketsAsSystemdDoes) {
  auto runtime = Runtime::Create({.loops = 2});
  ASSERT_TRUE(runtime.ok());
  auto listener = TcpListener::Listen(**runtime, "127.0.0.1:0", EchoHandler);
  ASSERT_TRUE(listener.ok());
  // The number of sockets, if the protocol says the truth and the last of them listens.
  const std::string script =
      "[ $LISTEN_PID = $$ ] || exit 90;"
      "[ $STRATA_PREDECESSOR = $PPID ] || exit 91;"
      "[ \"$(env | grep -c LISTEN_FDS=)\" = 1 ] || exit 92;"
      "[ -S /proc/self/fd/$((2 + LISTEN_FDS)) ] || exit 93;"
      "[ -e /proc/self/fd/$((3 + LISTEN_FDS)) ] && exit 94;"
      "exit $LISTEN_FDS";
  ::setenv("LISTEN_FDS", "7", 1);  // Of whoever has started this test.
  const std::size_t before = OpenDescriptors();
  auto pid = StartSuccessor("/bin/sh", {"sh", "-c", script}, {listener->get()});
  ::unsetenv("LISTEN_FDS");
  ASSERT_TRUE(pid.ok()) << pid.status();
  int status = -1;
  ASSERT_EQ(::waitpid(*pid, &status, 0), *pid);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 2);
  EXPECT_EQ(StartSuccessor("/nowhere/at/all", {"x"}, {listener->get()}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(StartSuccessor("/bin/sh", {"sh"}, {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(SuccessorTest, TakesWhatIsMeantForIt) {
  const auto take = [](const std::string& pid, const char* count, const char* predecessor) {
    ::setenv("LISTEN_PID", pid.c_str(), 1);
    ::setenv("LISTEN_FDS", count, 1);
    if (predecessor) ::setenv("STRATA_PREDECESSOR", predecessor, 1);
    return TakeInheritance();
  };
  const std::string own = std::to_string(::getpid());
  Inheritance inheritance = take(own, "2", own.c_str());
  EXPECT_EQ(inheritance.addresses, (std::vector<std::string>{"fd:3", "fd:4"}));
  EXPECT_EQ(inheritance.predecessor, ::getpid());
  EndPredecessor(inheritance);  // Which would end this test, if it were its own parent.
  EXPECT_TRUE(TakeInheritance().addresses.empty()) << "once";
  EXPECT_EQ(take(own, "1", nullptr).predecessor, 0);
  EXPECT_TRUE(take("1", "2", own.c_str()).addresses.empty()) << "another process's";
  for (const char* count : {"", "x", "-1", "1025", "0"}) {
    EXPECT_TRUE(take(own, count, nullptr).addresses.empty()) << count;
  }
}

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    content_.resize(3'000'000);
    for (std::size_t i = 0; i < content_.size(); ++i)
      content_[i] = static_cast<char>(i * 7 + i / 9);
    std::ofstream(path_, std::ios::binary) << content_;
  }
  void TearDown() override { ::unlink(path_.c_str()); }

  const std::string path_ = TempPath("served.bin");
  std::string content_;
};

TEST(AcceptedTest, HasNoDelayFromItsListener) {
  for (const bool wanted : {true, false}) {
    internal::ListenSettings settings;
    settings.no_delay = wanted;
    const internal::OwnedSocket listener(
        internal::OpenListener(*Address::Parse("127.0.0.1:0"), settings).socket);
    Peer peer(internal::LocalAddress(listener.get()));
    // The listener does not block, so that it has to be waited for.
    pollfd waiting{.fd = listener.get(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&waiting, 1, 30'000), 1);
    const internal::OwnedSocket accepted(::accept(listener.get(), nullptr, nullptr));
    int value = -1;
    socklen_t size = sizeof(value);
    ASSERT_EQ(::getsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &value, &size), 0);
    EXPECT_EQ(value != 0, wanted);
  }
}

TEST_F(FileTest, IsSentBetweenOtherWrites) {
  LoopThread thread;
  absl::StatusOr<std::shared_ptr<const File>> file = File::Open(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  auto listener = Listen(thread.loop(), "127.0.0.1:0", [&] {
    auto handler = std::make_unique<TestHandler>();
    handler->on_open = [&](Stream& stream) {
      stream.Write("head");
      EXPECT_EQ(stream.WriteFile(*file, 100, 2'500'000), Error::kOk);
      stream.Write("middle");
      EXPECT_EQ(stream.WriteFile(*file, 0, 10), Error::kOk);
      EXPECT_EQ(stream.WriteFile(nullptr, 0, 10), Error::kInvalidArgument);
      stream.Close();
    };
    return handler;
  });
  Peer peer(listener->address());
  EXPECT_TRUE(peer.ReceiveAll() ==
              "head" + content_.substr(100, 2'500'000) + "middle" + content_.substr(0, 10));
}

TEST_F(FileTest, AboveTheWatermarkIsToldWhenItHasLeft) {
  LoopThread thread;
  absl::StatusOr<std::shared_ptr<const File>> file = File::Open(path_);
  ASSERT_TRUE(file.ok());
  auto listener = Listen(thread.loop(), "127.0.0.1:0", [&] {
    auto handler = std::make_unique<TestHandler>();
    handler->on_open = [&](Stream& stream) {
      EXPECT_EQ(stream.WriteFile(*file, 0, 2'900'000), Error::kOk);
    };
    handler->on_writable = [](Stream& stream) { stream.Close(); };
    return handler;
  });
  Peer peer(listener->address());
  EXPECT_EQ(peer.ReceiveAll().size(), 2'900'000u);
}

// The answer to "head" is a reset; what comes behind it would raise SIGPIPE, which ends a program.
TEST_F(FileTest, ForAPeerThatHasGoneEndsTheStreamAlone) {
  LoopThread thread;
  absl::StatusOr<std::shared_ptr<const File>> file = File::Open(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  std::promise<void> gone;
  std::promise<Error> closed;
  auto listener = Listen(thread.loop(), "127.0.0.1:0", [&] {
    auto handler = std::make_unique<TestHandler>();
    handler->on_open = [&](Stream& stream) {
      gone.get_future().wait();
      stream.Write("head");
      EXPECT_EQ(stream.WriteFile(*file, 0, 1000), Error::kOk);
    };
    handler->on_closed = [&](Stream&, Error error) { closed.set_value(error); };
    return handler;
  });
  { const Peer peer(listener->address()); }
  gone.set_value();
  EXPECT_NE(closed.get_future().get(), Error::kEndOfFile);
}

TEST_F(FileTest, ThatIsTooShortBreaksTheStream) {
  LoopThread thread;
  absl::StatusOr<std::shared_ptr<const File>> file = File::Open(path_);
  ASSERT_TRUE(file.ok());
  std::promise<Error> closed;
  auto listener = Listen(thread.loop(), "127.0.0.1:0", [&] {
    auto handler = std::make_unique<TestHandler>();
    handler->on_open = [&](Stream& stream) {
      stream.WriteFile(*file, 2'999'990, 1000);
      stream.Close();
    };
    handler->on_closed = [&](Stream&, Error error) { closed.set_value(error); };
    return handler;
  });
  Peer peer(listener->address());
  bool reset = false;
  peer.ReceiveAll(&reset);
  EXPECT_TRUE(reset);
  EXPECT_EQ(closed.get_future().get(), Error::kEndOfFile);
}

TEST(FileOpenTest, ErrorsNameThePath) {
  for (const std::string path : {"/no/such/file", "/tmp", "/dev/null"}) {
    absl::StatusOr<std::shared_ptr<const File>> file = File::Open(path);
    ASSERT_FALSE(file.ok());
    EXPECT_NE(file.status().message().find(path), std::string_view::npos) << file.status();
  }
}

TEST(ProxyListenerTest, HeaderGivesThePeerAndTheRestIsReceived) {
  LoopThread thread;
  ListenOptions options;
  options.proxy_protocol = true;
  auto listener = Listen(
      thread.loop(), "127.0.0.1:0",
      [] {
        auto handler = std::make_unique<TestHandler>();
        handler->on_open = [](Stream& stream) {
          stream.WriteOwned(stream.peer_address().ToString() + " ");
        };
        handler->on_receive = [](Stream& stream, std::string_view bytes) {
          stream.Write(bytes);
          if (bytes.ends_with('t')) stream.Close();  // "request" may come in parts.
        };
        return handler;
      },
      options);
  const std::string header = "PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\n";
  {
    Peer peer(listener->address());
    peer.Send(header + "request");
    EXPECT_EQ(peer.ReceiveAll(), "192.0.2.1:1234 request");
  }
  {
    Peer peer(listener->address());
    for (const char byte : header) peer.Send(std::string_view(&byte, 1));
    peer.Send("request");
    EXPECT_EQ(peer.ReceiveAll(), "192.0.2.1:1234 request");
  }
}

TEST(ProxyListenerTest, ResetsWhoSendsNoneOrDripsIt) {
  LoopThread thread;
  ListenOptions options;
  options.proxy_protocol = true;
  options.proxy_timeout = milliseconds(50);
  auto listener = Listen(thread.loop(), "127.0.0.1:0", EchoHandler, options);
  for (const char* begin : {"GET / HTTP/1.1\r\n\r\n", "PROXY TCP4 1.2"}) {
    Peer peer(listener->address());
    peer.Send(begin);
    bool reset = false;
    EXPECT_EQ(peer.ReceiveAll(&reset), "");
    EXPECT_TRUE(reset);
  }
}

TEST(DescriptorTest, ProcessThatIsFullRecovers) {
  // In a child, whose limit is its own.
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::alarm(60);
    LoopThread thread;
    auto listener = Listen(thread.loop(), "127.0.0.1:0", EchoHandler);
    Peer first(listener->address());
    first.Send("x");
    EXPECT_EQ(first.Receive(1), "x");
    // Sockets for peers while there are descriptors; then the limit cuts off accepting.
    std::vector<int> sockets;
    for (int i = 0; i < 20; ++i)
      sockets.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = static_cast<rlim_t>(sockets.back()) + 1;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    sockaddr_storage storage;
    const auto size = static_cast<socklen_t>(listener->address().ToSockaddr(&storage));
    // They connect, for the system takes them, and are closed rather than left in silence.
    for (const int socket : sockets) {
      EXPECT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&storage), size), 0);
      char byte;
      EXPECT_LE(::recv(socket, &byte, 1, 0), 0);
    }
    // The last is counted after its peer has seen the end; alarm() bounds the wait.
    while (thread.loop().counters().shed.Get() < sockets.size()) std::this_thread::yield();
    // The open connection has not suffered.
    first.Send("y");
    EXPECT_EQ(first.Receive(1), "y");
    limit.rlim_cur = before;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    Peer last(listener->address());
    last.Send("z");
    // The last may have been shed at the moment of recovery; one after it is not.
    if (last.Receive(1) != "z") {
      Peer retry(listener->address());
      retry.Send("z");
      EXPECT_EQ(retry.Receive(1), "z");
    }
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(DescriptorTest, NothingLeaksHoweverConnectionsEnd) {
  const std::size_t before = OpenDescriptors();
  {
    LoopThread thread;
    auto listener = Listen(thread.loop(), "127.0.0.1:0", EchoHandler);
    for (int i = 0; i < 5'000; ++i) {
      Peer peer(listener->address());
      if (i % 4 != 0) peer.Send("x");
      if (i % 4 == 1) {
        EXPECT_EQ(peer.Receive(1), "x");
      }
      if (i % 2 == 0) {
        peer.Reset();
      } else {
        peer.EndSending();
        if (i % 4 == 3) peer.ReceiveAll();
      }
    }
    while (thread.loop().counters().closed.Get() < thread.loop().counters().accepted.Get()) {
      std::this_thread::yield();
    }
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(ForkTest, DescriptorKeptByAChildDoesNoHarm) {
  LoopThread thread;
  std::promise<StreamPtr> opened;
  std::promise<Error> closed;
  auto listener = Listen(thread.loop(), "127.0.0.1:0", [&] {
    auto handler = EchoHandler();
    handler->on_open = [&](Stream& stream) { opened.set_value(StreamPtr(&stream)); };
    handler->on_closed = [&](Stream&, Error error) { closed.set_value(error); };
    return handler;
  });
  Peer peer(listener->address());
  StreamPtr stream = opened.get_future().get();
  int wait[2];
  ASSERT_EQ(::pipe(wait), 0);
  const pid_t child = ::fork();  // It has copies of all descriptors, that of the stream too.
  if (child == 0) {
    char byte;
    ::close(wait[1]);
    ::_exit(::read(wait[0], &byte, 1) == 0 ? 0 : 1);
  }
  stream->Abort();
  EXPECT_EQ(closed.get_future().get(), Error::kCancelled);
  stream = nullptr;
  // An event for a stream that is gone would be a use of freed memory.
  for (int i = 0; i < 10; ++i) {
    peer.Send("x");
    thread.Do([] {});
  }
  ::close(wait[1]);
  ::close(wait[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
}

TEST(PausedStreamTest, ResetIsToldWhileReceivingIsPaused) {
  std::promise<void> paused;
  std::promise<Error> closed;
  LoopThread thread;
  auto listener = Listen(thread.loop(), "127.0.0.1:0", [&] {
    auto handler = std::make_unique<TestHandler>();
    handler->on_open = [&](Stream& stream) {
      EXPECT_EQ(stream.PauseReceive(), Error::kOk);
      paused.set_value();
    };
    handler->on_receive = [](Stream&, std::string_view) { ADD_FAILURE() << "received"; };
    handler->on_closed = [&](Stream&, Error error) { closed.set_value(error); };
    return handler;
  });
  Peer peer(listener->address());
  paused.get_future().wait();
  peer.Send("never read");
  peer.Reset();
  EXPECT_EQ(closed.get_future().get(), Error::kReset);
}

TEST(IdleConnectionTest, IsNoLargerThanItIsSaidToBe) { EXPECT_LE(sizeof(TcpConnection), 216u); }

}  // namespace
}  // namespace strata::net
