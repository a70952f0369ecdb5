// Load for a TLS server: connections, one after the other, each of which shakes hands, sends a
// line, reads one back, and ends.
//
//   tls_client PORT COUNT 1.2|1.3 full|resumed     prints how many were resumed
//
// OpenSSL over a blocking socket. An error ends it with status 1.

#include <openssl/ssl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "bench/sockets.h"

namespace {

[[noreturn]] void Die(const char* what) {
  std::fprintf(stderr, "tls_client: %s\n", what);
  std::exit(1);
}

// The session to resume the next time; the caller frees it.
SSL_SESSION* Converse(SSL_CTX* context, int socket, SSL_SESSION* resume, int& resumed) {
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, socket);
  if (resume != nullptr) SSL_set_session(ssl, resume);
  constexpr std::string_view kLine = "x\n";
  char answer[16];
  if (SSL_connect(ssl) != 1) Die("handshake");
  if (SSL_write(ssl, kLine.data(), kLine.size()) != static_cast<int>(kLine.size())) Die("write");
  // Tickets of TLS 1.3 come before it.
  int size = 0;
  while (size < static_cast<int>(kLine.size())) {
    const int more = SSL_read(ssl, answer + size, sizeof(answer) - static_cast<std::size_t>(size));
    if (more <= 0) Die("read");
    size += more;
  }
  resumed += SSL_session_reused(ssl);
  SSL_shutdown(ssl);
  SSL_SESSION* session = SSL_get1_session(ssl);
  SSL_free(ssl);
  ::close(socket);
  return session;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) Die("PORT COUNT 1.2|1.3 full|resumed");
  const auto port = static_cast<unsigned>(std::atoi(argv[1]));
  const auto count = static_cast<unsigned>(std::atoi(argv[2]));
  const int version = argv[3] == std::string_view("1.2") ? TLS1_2_VERSION : TLS1_3_VERSION;
  const bool resume = argv[4] == std::string_view("resumed");
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, version);
  SSL_CTX_set_max_proto_version(context, version);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_SESSION* session = nullptr;
  int resumed = 0;
  for (unsigned i = 0; i < count; ++i) {
    const int socket = bench::ConnectLoopback(port, i);
    SSL_SESSION* next = Converse(context, socket, resume ? session : nullptr, resumed);
    SSL_SESSION_free(session);
    session = next;
  }
  SSL_SESSION_free(session);
  SSL_CTX_free(context);
  std::printf("%d\n", resumed);
}
