// Echo on Boost.Asio, after its own asynchronous echo example, with TCP_NODELAY. The context is
// told that it has one thread, which spares it its locks.

// Boost 1.74 uses <utility> and forgets to ask for it, so that comes first.
// clang-format off
#include <utility>
#include <boost/asio.hpp>
// clang-format on

#include <array>
#include <memory>

#include "bench/sockets.h"

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(tcp::socket socket) : socket_(std::move(socket)) {}

  void Read() {
    socket_.async_read_some(
        asio::buffer(bytes_),
        [self = shared_from_this()](boost::system::error_code error, std::size_t size) {
          if (!error) self->Write(size);
        });
  }

 private:
  void Write(std::size_t size) {
    asio::async_write(socket_, asio::buffer(bytes_, size),
                      [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                        if (!error) self->Read();
                      });
  }

  tcp::socket socket_;
  std::array<char, 4096> bytes_;
};

void Accept(tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](boost::system::error_code error, tcp::socket socket) {
    if (!error) {
      socket.set_option(tcp::no_delay(true));
      std::make_shared<Session>(std::move(socket))->Read();
    }
    Accept(acceptor);
  });
}

}  // namespace

int main() {
  bench::RaiseDescriptorLimit();
  asio::io_context context(1);
  tcp::acceptor acceptor(context);
  acceptor.open(tcp::v4());
  acceptor.bind(tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  acceptor.listen(4096);
  bench::PrintPort(acceptor.local_endpoint().port());
  Accept(acceptor);
  context.run();
}
