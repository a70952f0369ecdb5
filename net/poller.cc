// The choice of a poller's backend.

#include "strata/net/poller.h"

#include "absl/status/status.h"
#include "strata/net/poller_internal.h"

namespace strata::net {

absl::StatusOr<std::unique_ptr<Poller>> Poller::Create(const Options& options) {
  if (options.receive_buffer_bytes == 0 || options.max_events < 1 || options.max_accepts < 1) {
    return absl::InvalidArgumentError("poller: a bound of the options is not positive");
  }
#ifdef _WIN32
  if (options.backend == Backend::kEpoll) {
    return absl::UnimplementedError("poller: there is no epoll on Windows");
  }
  return internal::CreateIocpPoller(options);
#else
  if (options.backend == Backend::kIocp) {
    return absl::UnimplementedError("poller: there is no IOCP on Linux");
  }
  return internal::CreateEpollPoller(options);
#endif
}

}  // namespace strata::net
