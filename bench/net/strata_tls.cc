// Echo over TLS on net, as its users write it: strata_tls CERTIFICATE KEY

#include <cstdio>
#include <memory>

#include "bench/sockets.h"
#include "strata/crypto/tls_context.h"
#include "strata/net/runtime.h"
#include "strata/net/tcp_listener.h"
#include "strata/net/tls.h"

namespace {

class Echo final : public strata::net::StreamHandler {
  void OnReceive(strata::net::Stream& stream, std::string_view bytes) override {
    stream.Write(bytes);
  }
};

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return Fail(absl::InvalidArgumentError("strata_tls CERTIFICATE KEY"));
  auto identity = strata::crypto::TlsIdentity::FromFiles(argv[1], argv[2]);
  if (!identity.ok()) return Fail(identity.status());
  auto context = strata::crypto::TlsServerContext::Create(*identity);
  if (!context.ok()) return Fail(context.status());
  strata::net::Runtime::Options options;
  options.loops = 1;
  auto runtime = strata::net::Runtime::Create(std::move(options));
  if (!runtime.ok()) return Fail(runtime.status());
  auto listener = strata::net::TcpListener::Listen(**runtime, "127.0.0.1:0", [context = *context] {
    return strata::net::AcceptTls(context, std::make_unique<Echo>());
  });
  if (!listener.ok()) return Fail(listener.status());
  bench::PrintPort((*listener)->address().port());
  const absl::Status status = (*runtime)->RunUntilSignal(std::chrono::seconds(0));
  return status.ok() ? 0 : Fail(status);
}
