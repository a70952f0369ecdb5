// The server of the benchmark on Boost.Beast, after its own asynchronous examples, on one thread.
// It is spared what those do and others here do not: timers of its connections, and an executor
// behind a virtual call.
//
//   beast_server --port=N --tls-port=N --folder=FOLDER --certificate=FILE --key=FILE

// Boost 1.74 uses <utility> and forgets to ask for it, so that comes first.
// clang-format off
#include <utility>
#include <boost/asio.hpp>
// clang-format on

#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bench/arguments.h"
#include "bench/http/date.h"
#include "bench/sockets.h"

namespace bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using Tcp = asio::ip::tcp;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<Tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

constexpr std::size_t kMaxBody = 16 * 1024 * 1024;
constexpr std::string_view kFiles = "/files/";

// What all sessions answer with.
struct Content {
  std::string folder;
  std::string json;
  std::string date;  // Of this second.
};

void KeepDate(Content& content, Timer& timer) {
  content.date = HttpDate();
  timer.expires_after(std::chrono::seconds(1));
  timer.async_wait([&content, &timer](beast::error_code) { KeepDate(content, timer); });
}

template <class Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
 public:
  template <class... Arguments>
  explicit Session(const Content& content, Arguments&&... arguments)
      : content_(content), stream_(std::forward<Arguments>(arguments)...) {}

  void Start() {
    if constexpr (kIsTls) {
      stream_.async_handshake(ssl::stream_base::server,
                              [self = this->shared_from_this()](beast::error_code error) {
                                if (!error) self->Read();
                              });
    } else {
      Read();
    }
  }

 private:
  static constexpr bool kIsTls = !std::is_same_v<Stream, Socket>;

  void Read() {
    parser_.emplace();
    parser_->body_limit(kMaxBody);
    http::async_read(stream_, buffer_, *parser_,
                     [self = this->shared_from_this()](beast::error_code error, std::size_t) {
                       if (error == http::error::end_of_stream) return self->End();
                       if (!error) self->Answer();
                     });
  }

  void Answer() {
    auto& request = parser_->get();
    const std::string_view target(request.target().data(), request.target().size());
    if (request.method() == http::verb::post) {
      AnswerText(std::move(request.body()), "application/octet-stream");
    } else if (target == "/") {
      AnswerText("Hello, World!", "text/plain");
    } else if (target == "/json") {
      AnswerText(content_.json, "application/json");
    } else if (target.starts_with(kFiles) && target.find("..") == target.npos) {
      AnswerFile(content_.folder + "/" + std::string(target.substr(kFiles.size())));
    } else {
      AnswerText("Not found", "text/plain", http::status::not_found);
    }
  }

  void AnswerText(std::string body, const char* type, http::status status = http::status::ok) {
    text_.emplace(status, parser_->get().version());
    text_->body() = std::move(body);
    Write(*text_, type);
  }

  void AnswerFile(const std::string& path) {
    beast::error_code error;
    file_.emplace(http::status::ok, parser_->get().version());
    file_->body().open(path.c_str(), beast::file_mode::scan, error);
    if (error) return AnswerText("Not found", "text/plain", http::status::not_found);
    Write(*file_, "text/plain");
  }

  template <class Response>
  void Write(Response& response, const char* type) {
    response.set(http::field::server, "Beast");
    response.set(http::field::date, content_.date);
    response.set(http::field::content_type, type);
    response.keep_alive(parser_->get().keep_alive());
    response.prepare_payload();
    http::async_write(stream_, response,
                      [self = this->shared_from_this(), close = response.need_eof()](
                          beast::error_code error, std::size_t) {
                        if (error) return;
                        close ? self->End() : self->Read();
                      });
  }

  void End() {
    beast::error_code ignored;
    beast::get_lowest_layer(stream_).shutdown(Tcp::socket::shutdown_send, ignored);
  }

  const Content& content_;
  Stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> text_;
  std::optional<http::response<http::file_body>> file_;
};

// Calls `start` with each connection.
template <class Start>
void Accept(Acceptor& acceptor, const Start& start) {
  acceptor.async_accept([&acceptor, &start](beast::error_code error, Socket socket) {
    if (!error) {
      socket.set_option(Tcp::no_delay(true));
      start(std::move(socket));
    }
    Accept(acceptor, start);
  });
}

void Open(Acceptor& acceptor, unsigned port) {
  acceptor.open(Tcp::v4());
  acceptor.set_option(Tcp::acceptor::reuse_address(true));
  acceptor.bind({asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)});
  acceptor.listen(4096);
}

int Main(int argc, char** argv) {
  const Arguments arguments(argc, argv,
                            {"--port", "--tls-port", "--folder", "--certificate", "--key"});
  RaiseDescriptorLimit();
  asio::io_context context(1);
  Content content{arguments.Text("--folder"), "", ""};
  content.json = Arguments::ReadFile(content.folder + "/1k.json");
  Timer timer(context);
  KeepDate(content, timer);

  Acceptor plain(context);
  Open(plain, arguments.Number("--port", 0));
  const auto start_plain = [&content](Socket socket) {
    std::make_shared<Session<Socket>>(content, std::move(socket))->Start();
  };
  Accept(plain, start_plain);

  ssl::context tls(ssl::context::tls_server);
  tls.use_certificate_chain_file(arguments.Text("--certificate"));
  tls.use_private_key_file(arguments.Text("--key"), ssl::context::pem);
  Acceptor secure(context);
  Open(secure, arguments.Number("--tls-port", 0));
  const auto start_secure = [&content, &tls](Socket socket) {
    using Stream = ssl::stream<Socket>;
    std::make_shared<Session<Stream>>(content, std::move(socket), tls)->Start();
  };
  Accept(secure, start_secure);

  context.run();
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
