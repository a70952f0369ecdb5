// File: server_connection_internal.h
//
// One connection of a server: requests in, one after the other, responses out in the same order.

#ifndef STRATA_HTTP_SERVER_CONNECTION_INTERNAL_H_
#define STRATA_HTTP_SERVER_CONNECTION_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "strata/http/connection_limits.h"
#include "strata/http/exchange_internal.h"
#include "strata/http/parse_error.h"
#include "strata/http/response.h"
#include "strata/http/server_loop_internal.h"
#include "strata/net/stream.h"

namespace strata::http {

// An idle one holds nothing but this. While a request is incomplete, or its answer is, it has the
// exchange.
class ServerConnection final : public net::StreamHandler, private ClientFinder {
 public:
  explicit ServerConnection(net::RefPtr<ServerCore> core) : core_(std::move(core)) {}
  ~ServerConnection() override;

  void OnOpen(net::Stream& stream) override;
  void OnReceive(net::Stream& stream, std::string_view bytes) override;
  void OnReceiveEnd(net::Stream& stream) override;
  void OnWritable(net::Stream& stream) override;
  void OnDrain(net::Stream& stream) override;
  void OnClosed(net::Stream& stream, net::Error error) override;

  net::Stream& stream() const { return *stream_; }
  net::Loop& loop() const { return loop_->loop(); }

  // What a Response does.
  void Answer(Exchange& exchange, std::string_view body);
  void Answer(Exchange& exchange, ReplyBody body);
  net::RefPtr<PendingReply> Defer(Exchange& exchange);
  void Upgrade(Exchange& exchange, std::string_view protocol,
               std::unique_ptr<net::StreamHandler> handler);

  // What comes through a PendingReply, which there is of the exchange that is kept.
  void SendDeferred(Reply reply);
  void CallDeferred(KeptRequest& request, absl::AnyInvocable<void(Request&, Response&)>& handler);
  void StartDeferred(const ReplyHead& head, std::optional<std::uint64_t> length);
  void WriteBody(std::string bytes);
  void FinishBody(std::string_view trailer_lines);
  void Break();
  void PauseBody();
  void ResumeBody();

 private:
  const ServerOptions& options() const { return core_->options(); }

  // The inline ones are called in one file each, where they are, and made part of their callers.
  void Process(std::string_view bytes);
  void Continue();
  inline std::string_view BeginRequest(std::string_view bytes);
  std::string_view ContinueHead(std::string_view bytes, std::string& held);
  std::string_view Dispatch(Exchange& exchange, std::string_view head, std::string_view rest);
  std::string_view TakeBody(Exchange& exchange, std::string_view head, std::string_view rest);
  void TakeData(Exchange& exchange, std::string_view data);
  std::string_view ContinueBody(Exchange& exchange, std::string_view bytes);
  inline void HandlerDone(Exchange& exchange);
  void SwitchProtocol(Exchange& exchange, std::string_view rest);
  void HoldBack(std::string_view bytes);
  void Wait(std::string_view bytes);

  inline bool FindRoute(Exchange& exchange);
  bool FillParams(Exchange& exchange, const RouteMatch& match);
  void AnswerWithoutRoute(Exchange& exchange, const RouteMatch* match);
  bool RunMiddlewares(const MiddlewareList& middlewares, Exchange& exchange);
  inline void RunHandler(Exchange& exchange);
  void BeginStreaming(Exchange& exchange);
  void Refuse(Exchange& exchange, ParseError error);
  void Admit(const net::Address& peer);
  void FindClient(const Request& request) const override;
  void Strike(const Exchange& exchange);
  void Tell(const Exchange& exchange);
  void Refuse(Exchange& exchange, int status, std::string_view detail);
  void AnswerStatus(Exchange& exchange, int status, std::string_view detail);

  void GoOnLater();
  void LookAtEnd();

  // Content codings: server_coding.cc.
  void NoteAcceptedCodings(Exchange& exchange);
  EncoderPtr ChooseEncoder(Exchange& exchange, std::optional<std::uint64_t> bytes);
  void Encode(Exchange& exchange, EncoderPtr encoder, ReplyBody& body);
  static void MarkEncoded(ReplyHead& reply, ContentCoding coding);
  static void WeakenTag(ReplyHead& reply);
  bool BeginDecoding(Exchange& exchange, std::uint64_t max_bytes);
  bool TakeCoded(Exchange& exchange, std::string_view coded);
  bool EndCoded(Exchange& exchange);
  void RefuseCoded(Exchange& exchange, CodingError error);

  bool BeginAnswer(Exchange& exchange);
  inline bool Persists(const Exchange& exchange) const;
  void WriteHead(Exchange& exchange, std::optional<std::uint64_t> length, std::string_view body);
  inline char* ComposeHead(Exchange& exchange, std::optional<std::uint64_t> length, char* out);
  void Produce(Exchange& exchange);
  void AnswerAsIs(Exchange& exchange, std::string_view body);
  void AnswerCoded(Exchange& exchange, std::string_view body);
  void SendBody(Exchange& exchange, ReplyBody body);
  bool WritePiece(Exchange& exchange, std::string bytes, Encoder::Flush flush);
  void WriteFramed(Exchange& exchange, std::string bytes);
  void EndPieces(Exchange& exchange, std::string_view trailer_lines);
  void WritePart(ReplyBody::Part part);
  void Write(std::string_view bytes);
  void Check(net::Error error);
  void ResponseDone(Exchange& exchange);
  Exchange& Keep(Exchange& exchange);
  void Release();
  void AbortExchange();
  void Close();
  void CloseAfter(const Exchange& exchange);
  void OnHeaderTimeout();
  bool Full() const { return stream_->queued_bytes() > stream_->options().high_watermark_bytes; }

  const net::RefPtr<ServerCore> core_;
  ServerLoop* loop_ = nullptr;
  net::Stream* stream_ = nullptr;
  std::unique_ptr<Exchange> exchange_;
  std::unique_ptr<net::Timer> drain_timer_;  // Of an idle connection, while the loop drains.
  ConnectionLimits::Token token_;
  std::uint32_t requests_ = 0;
  bool closing_ = false;   // Nothing more is read.
  bool draining_ = false;  // The loop drains: this exchange is the last.
  bool held_ = false;      // Receiving is paused, for too much is held.
  bool ended_ = false;     // The peer has ended its half.
};

}  // namespace strata::http

#endif  // STRATA_HTTP_SERVER_CONNECTION_INTERNAL_H_
