// File: acceptor_internal.h
//
// One socket that accepts for a listener, on one loop.

#ifndef STRATA_NET_ACCEPTOR_INTERNAL_H_
#define STRATA_NET_ACCEPTOR_INTERNAL_H_

#include <atomic>
#include <cstddef>
#include <mutex>
#include <vector>

#include "strata/net/loop.h"
#include "strata/net/poller.h"
#include "strata/net/ref_ptr.h"
#include "strata/net/socket_internal.h"
#include "strata/net/tcp_connection.h"
#include "strata/net/tcp_listener.h"
#include "strata/net/timer_wheel.h"

namespace strata::net {

// What all acceptors of a listener, and all loops that they hand out to, share.
struct ListenerShared final : public RefCounted {
  ListenerShared(const ListenOptions& listen, TcpListener::HandlerFactory make);

  const ListenOptions options;
  const TcpListener::HandlerFactory factory;
  const RefPtr<SharedStreamOptions> stream_options;
  Address address;

  // For any thread: the sockets that are open, each in here until just before it is closed.
  std::mutex mutex;
  std::vector<NativeSocket> sockets;

  // The file of a Unix socket is that of others too.
  bool keeps_file = false;
};

class Acceptor final : public RefCounted,
                       private ListenSocket,
                       private LoopMember,
                       private TimerNode {
 public:
  // Hands connections to `targets` in turn; to its own loop if there are none.
  Acceptor(RefPtr<Mailbox> home, RefPtr<ListenerShared> shared,
           std::vector<RefPtr<Mailbox>> targets);

  // From any thread: the loop takes the listening socket and begins; or lets it go.
  void Start(internal::OwnedSocket socket);
  void Stop();

 private:
  ~Acceptor() override;

  void Attach(internal::OwnedSocket socket);
  void Finish();
  bool Forget(NativeSocket socket);

  void OnAccepted(NativeSocket socket, const Address& peer) override;
  void OnAcceptFailed(Error error) override;
  void OnDetached() override;
  void OnDrain() override { Finish(); }
  void OnLoopEnd() override { Finish(); }
  void OnTimer() override;

  const RefPtr<Mailbox> home_;
  const RefPtr<ListenerShared> shared_;
  const std::vector<RefPtr<Mailbox>> targets_;
  std::size_t next_target_ = 0;
  NativeSocket reserve_ = kNoSocket;
  bool stopped_ = false;
};

}  // namespace strata::net

#endif  // STRATA_NET_ACCEPTOR_INTERNAL_H_
