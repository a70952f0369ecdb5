// Happy Eyeballs.

#include "strata/net/connector.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/net/tcp_connection.h"
#include "strata/net/timer.h"

namespace strata::net {
namespace {

// All on the loop's thread, but for the last Unref(), which may be a worker's after the loop's end.
class Eyeballs final : public Connecting, private LoopMember {
 public:
  Eyeballs(Loop& loop, std::string_view target, std::unique_ptr<StreamHandler> handler,
           absl::AnyInvocable<void(absl::Status)> done, const ConnectOptions& options)
      : loop_(loop),
        target_(target),
        options_(options),
        stream_options_(new SharedStreamOptions(options.stream)),
        handler_(std::move(handler)),
        done_(std::move(done)) {}

  void Start(Resolver& resolver);
  void Cancel() override {
    if (timers_) FinishLater(absl::CancelledError(Text("given up")));
  }

  // From an attempt.
  void Won(Stream& stream);
  void Failed(Error error);

 private:
  struct Timers {
    Timer deadline;
    Timer next_attempt;
  };

  std::string Text(std::string_view why) const {
    return absl::StrCat("connect to ", target_, ": ", why);
  }

  void Resolved(Resolver::Result result);
  void Attempt();
  void FinishLater(absl::Status status);
  void Finish(absl::Status status);
  void Leave();

  void OnDrain() override { Cancel(); }
  void OnLoopEnd() override { Leave(); }

  Loop& loop_;
  const std::string target_;
  const ConnectOptions options_;
  const RefPtr<const SharedStreamOptions> stream_options_;
  std::unique_ptr<StreamHandler> handler_;
  absl::AnyInvocable<void(absl::Status)> done_;
  std::unique_ptr<Timers> timers_;  // While it is a member of the loop.
  std::vector<Address> addresses_;
  std::size_t next_ = 0;
  std::size_t pending_ = 0;
  std::vector<RefPtr<TcpConnection>> attempts_;
  absl::Status last_;
};

class AttemptHandler final : public StreamHandler {
 public:
  explicit AttemptHandler(RefPtr<Eyeballs> owner) : owner_(std::move(owner)) {}

  void OnOpen(Stream& stream) override { owner_->Won(stream); }
  void OnReceive(Stream&, std::string_view) override {}
  void OnClosed(Stream&, Error error) override { owner_->Failed(error); }

 private:
  const RefPtr<Eyeballs> owner_;
};

void Eyeballs::Start(Resolver& resolver) {
  if (loop_.ended()) return;
  Ref();  // The loop's, until Leave().
  loop_.Add(*this);
  timers_.reset(new Timers{
      .deadline = Timer(loop_,
                        [this] {
                          const std::string why =
                              last_.ok() ? "no answer in time"
                                         : absl::StrCat("no answer in time; ", last_.message());
                          Finish(absl::DeadlineExceededError(Text(why)));
                        }),
      .next_attempt = Timer(loop_, [this] { Attempt(); }),
  });
  timers_->deadline.Arm(options_.timeout);

  absl::StatusOr<Address> address = Address::Parse(target_);
  if (address.ok()) {
    loop_.mailbox()->PostAlways([self = RefPtr<Eyeballs>(this), address = *std::move(address)] {
      self->Resolved(std::vector<Address>{address});
    });
    return;
  }
  absl::StatusOr<HostPort> named = ParseHostPort(target_);
  if (!named.ok()) return FinishLater(named.status());
  const Error error = resolver.Resolve(loop_, named->host, named->port,
                                       [self = RefPtr<Eyeballs>(this)](Resolver::Result result) {
                                         self->Resolved(std::move(result));
                                       });
  if (error != Error::kOk) FinishLater(ToStatus(error, Text("resolve")));
}

void Eyeballs::FinishLater(absl::Status status) {
  loop_.mailbox()->PostAlways([self = RefPtr<Eyeballs>(this), status] { self->Finish(status); });
}

void Eyeballs::Resolved(Resolver::Result result) {
  if (!timers_) return;
  if (!result.ok()) {
    Finish(absl::Status(result.status().code(), Text(result.status().message())));
    return;
  }
  addresses_ = InterleaveFamilies(*std::move(result));
  if (addresses_.size() > options_.max_attempts) addresses_.resize(options_.max_attempts);
  Attempt();
}

// The next address; those that the system refuses at once are passed over.
void Eyeballs::Attempt() {
  while (next_ < addresses_.size()) {
    const Address& address = addresses_[next_++];
    Error error;
    RefPtr<TcpConnection> attempt =
        TcpConnection::Connect(loop_, address, stream_options_,
                               std::make_unique<AttemptHandler>(RefPtr<Eyeballs>(this)), &error);
    if (attempt) {
      attempts_.push_back(std::move(attempt));
      ++pending_;
      if (next_ < addresses_.size()) timers_->next_attempt.Arm(options_.attempt_delay);
      return;
    }
    last_ = ToStatus(error, Text(address.ToString()));
  }
  if (pending_ == 0) Finish(last_);
}

void Eyeballs::Won(Stream& stream) {
  if (!timers_) {
    stream.Abort();
    return;
  }
  StreamHandler& handler = *handler_;
  stream.SetHandler(std::move(handler_));
  handler.OnOpen(stream);
  // Not to be aborted with the others.
  std::erase_if(attempts_,
                [&](const RefPtr<TcpConnection>& each) { return each.get() == &stream; });
  Finish(absl::OkStatus());
}

void Eyeballs::Failed(Error error) {
  --pending_;
  if (!timers_) return;
  last_ = ToStatus(error, Text("the last of its addresses"));
  Attempt();
}

void Eyeballs::Finish(absl::Status status) {
  if (!timers_) return;
  RefPtr<Eyeballs> self(this);
  absl::AnyInvocable<void(absl::Status)> done = std::move(done_);
  Leave();
  loop_.Call("connect done", [&] { done(std::move(status)); });
}

void Eyeballs::Leave() {
  timers_.reset();
  for (const RefPtr<TcpConnection>& attempt : attempts_) attempt->Abort();
  attempts_.clear();
  handler_.reset();
  done_ = nullptr;
  loop_.Remove(*this);
  Unref();
}

}  // namespace

std::vector<Address> InterleaveFamilies(std::vector<Address> addresses) {
  if (addresses.empty()) return addresses;
  const Address::Family first = addresses[0].family();
  const auto middle =
      std::stable_partition(addresses.begin(), addresses.end(),
                            [first](const Address& each) { return each.family() == first; });
  std::vector<Address> interleaved;
  for (auto one = addresses.begin(), other = middle; one != middle || other != addresses.end();) {
    if (one != middle) interleaved.push_back(*one++);
    if (other != addresses.end()) interleaved.push_back(*other++);
  }
  return interleaved;
}

RefPtr<Connecting> Connect(Loop& loop, Resolver& resolver, std::string_view target,
                           std::unique_ptr<StreamHandler> handler,
                           absl::AnyInvocable<void(absl::Status)> done,
                           const ConnectOptions& options) {
  RefPtr<Eyeballs> connecting(
      new Eyeballs(loop, target, std::move(handler), std::move(done), options));
  connecting->Start(resolver);
  return connecting;
}

}  // namespace strata::net
