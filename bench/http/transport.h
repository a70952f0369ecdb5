// File: transport.h
//
// A connected socket, with TLS by OpenSSL over it or without, that never blocks. The floor and the
// load client are built on it, so that both pay the least that TLS costs.

#ifndef BENCH_HTTP_TRANSPORT_H_
#define BENCH_HTTP_TRANSPORT_H_

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace bench {

// What Receive() and Send() return where they have no bytes to tell of.
constexpr ssize_t kWouldBlock = -1;
constexpr ssize_t kEnded = -2;  // The peer has sent all it will.
constexpr ssize_t kFailed = -3;

// All of the benchmark's TLS is of this kind, for whatever server: else they could not be compared.
constexpr int kTlsVersion = TLS1_3_VERSION;
constexpr char kTlsCipher[] = "TLS_AES_256_GCM_SHA384";

// A context that reads ahead: one recv() brings a whole record, not its header alone.
inline SSL_CTX* MakeTlsContext(const SSL_METHOD* method) {
  SSL_CTX* context = SSL_CTX_new(method);
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, kTlsVersion) != 1 ||
      SSL_CTX_set_ciphersuites(context, kTlsCipher) != 1) {
    ERR_print_errors_fp(stderr);
    std::exit(1);
  }
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

inline SSL_CTX* MakeTlsServerContext(const std::string& certificate, const std::string& key) {
  SSL_CTX* context = MakeTlsContext(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    ERR_print_errors_fp(stderr);
    std::exit(1);
  }
  return context;
}

class Transport {
 public:
  // Takes both over; `ssl`, which may be null, has been told its side of the handshake.
  Transport(int socket, SSL* ssl) : socket_(socket), ssl_(ssl) {
    if (ssl != nullptr) SSL_set_fd(ssl, socket);
  }
  Transport(Transport&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), ssl_(std::move(other.ssl_)) {}
  Transport& operator=(Transport&& other) noexcept {
    std::swap(socket_, other.socket_);
    std::swap(ssl_, other.ssl_);
    return *this;
  }
  ~Transport() {
    if (socket_ >= 0) ::close(socket_);
  }

  int socket() const { return socket_; }
  SSL* ssl() const { return ssl_.get(); }

  // Bytes received, at least one; or kWouldBlock, kEnded, kFailed.
  ssize_t Receive(char* buffer, std::size_t size) {
    if (ssl_) return TlsResult(SSL_read(ssl(), buffer, static_cast<int>(size)));
    const ssize_t received = ::recv(socket_, buffer, size, MSG_DONTWAIT);
    if (received > 0) return received;
    return received == 0 ? kEnded : SocketError();
  }

  // Bytes sent, at least one; or kWouldBlock, kFailed.
  ssize_t Send(std::string_view bytes, int flags = 0) {
    if (ssl_) return TlsResult(SSL_write(ssl(), bytes.data(), static_cast<int>(bytes.size())));
    const ssize_t sent =
        ::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL | flags);
    return sent > 0 ? sent : SocketError();
  }

  static ssize_t SocketError() { return errno == EAGAIN ? kWouldBlock : kFailed; }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  ssize_t TlsResult(int result) {
    if (result > 0) return result;
    const int error = SSL_get_error(ssl(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return kWouldBlock;
    ERR_clear_error();  // It is of this thread, not of this connection.
    return error == SSL_ERROR_ZERO_RETURN ? kEnded : kFailed;
  }

  int socket_;
  std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace bench

#endif  // BENCH_HTTP_TRANSPORT_H_
