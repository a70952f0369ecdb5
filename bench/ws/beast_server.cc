// The echo server of the benchmark on Boost.Beast, after its own asynchronous examples, on one
// thread, without the timers of those and without an executor behind a virtual call.
//
//   beast_server
//
// Prints the free port that it takes.

// Boost 1.74 uses <utility> and forgets to ask for it, so that comes first.
// clang-format off
#include <utility>
#include <boost/asio.hpp>
// clang-format on

#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <memory>

#include "bench/sockets.h"

namespace bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Tcp = asio::ip::tcp;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<Tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(Socket socket) : stream_(std::move(socket)) {
    stream_.auto_fragment(false);  // As all the others: a message is a frame.
  }

  void Start() {
    stream_.async_accept([self = shared_from_this()](beast::error_code error) {
      if (!error) self->Read();
    });
  }

 private:
  void Read() {
    stream_.async_read(buffer_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error) self->Write();
    });
  }

  void Write() {
    stream_.text(stream_.got_text());
    stream_.async_write(buffer_.data(),
                        [self = shared_from_this()](beast::error_code error, std::size_t) {
                          if (error) return;
                          self->buffer_.clear();
                          self->Read();
                        });
  }

  beast::websocket::stream<Socket> stream_;
  beast::flat_buffer buffer_;
};

void Accept(Acceptor& acceptor) {
  acceptor.async_accept([&acceptor](beast::error_code error, Socket socket) {
    if (!error) {
      socket.set_option(Tcp::no_delay(true));
      std::make_shared<Session>(std::move(socket))->Start();
    }
    Accept(acceptor);
  });
}

int Main() {
  RaiseDescriptorLimit();
  asio::io_context context(1);
  Acceptor acceptor(context);
  acceptor.open(Tcp::v4());
  acceptor.bind({asio::ip::address_v4::loopback(), 0});
  acceptor.listen(4096);
  PrintPort(acceptor.local_endpoint().port());
  Accept(acceptor);
  context.run();
  return 0;
}

}  // namespace
}  // namespace bench

int main() { return bench::Main(); }
