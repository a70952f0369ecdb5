#include "strata/ws/server.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/http/per_loop.h"
#include "strata/http/text.h"
#include "strata/ws/handshake.h"

namespace strata::ws {
namespace {

using http::FieldId;

class Endpoint {
 public:
  Endpoint(SocketHandlerFactory factory, EndpointOptions options)
      : factory_(std::move(factory)),
        options_(std::move(options)),
        socket_options_(std::make_shared<const SocketOptions>(options_.socket)),
        supported_(options_.subprotocols.begin(), options_.subprotocols.end()) {
    no_subprotocol_ = std::make_shared<const std::string>();
    for (const std::string& name : options_.subprotocols) {
      subprotocols_.push_back(std::make_shared<const std::string>(name));
    }
  }

  void Connect(http::Request& request, http::Response& response) {
    if (!request.head().upgrade || !request.fields().HasToken(FieldId::kUpgrade, "websocket")) {
      response.Set(FieldId::kUpgrade, "websocket");
      return response.SendError(426, "this is a WebSocket endpoint (RFC 6455 section 4.2)\n");
    }
    const std::optional<std::string_view> version = request.field(FieldId::kSecWebSocketVersion);
    if (version != kWebSocketVersion) {
      response.Add("Sec-WebSocket-Version", kWebSocketVersion);
      return response.SendError(426, "the version of WebSocket is not 13\n");
    }
    const std::string_view key = request.field(FieldId::kSecWebSocketKey).value_or("");
    if (request.fields().Count(FieldId::kSecWebSocketKey) != 1 || !IsValidWebSocketKey(key)) {
      return response.SendError(400, "Sec-WebSocket-Key is not 16 bytes in base64\n");
    }
    if (!OriginIsAllowed(request)) {
      return response.SendError(403, "pages of this origin may not connect\n");
    }

    std::shared_ptr<const std::string> subprotocol = no_subprotocol_;
    if (request.fields().Has(FieldId::kSecWebSocketProtocol)) {
      std::string_view chosen;
      switch (ChooseSubprotocol(request.fields().GetAll(FieldId::kSecWebSocketProtocol), supported_,
                                &chosen)) {
        case SubprotocolChoice::kBad:
          return response.SendError(400, "Sec-WebSocket-Protocol is no list of tokens\n");
        case SubprotocolChoice::kChosen:
          response.Add("Sec-WebSocket-Protocol", chosen);
          for (const auto& name : subprotocols_) {
            if (*name == chosen) subprotocol = name;
          }
          break;
        case SubprotocolChoice::kNone:
          break;
      }
    }

    Socket::Setup setup;
    if (!AgreeOnDeflate(request, response, setup)) return;
    setup.handler = factory_(request);
    if (!setup.handler) return response.SendError(403);
    setup.options = socket_options_;
    setup.subprotocol = std::move(subprotocol);
    response.Add("Sec-WebSocket-Accept", WebSocketAccept(key));
    response.Upgrade("websocket", Socket::MakeStreamHandler(std::move(setup)));
  }

 private:
  bool OriginIsAllowed(const http::Request& request) const {
    if (!request.fields().Has(FieldId::kOrigin)) return true;
    const std::string origin = request.fields().GetAll(FieldId::kOrigin);
    if (options_.origins.empty()) {
      return http::EqualsIgnoreCase(
          origin, absl::StrCat(request.secure() ? "https://" : "http://", request.authority()));
    }
    for (const std::string& allowed : options_.origins) {
      if (allowed == "*" || http::EqualsIgnoreCase(allowed, origin)) return true;
    }
    return false;
  }

  // False if it was answered.
  bool AgreeOnDeflate(const http::Request& request, http::Response& response,
                      Socket::Setup& setup) {
    if (!request.fields().Has(FieldId::kSecWebSocketExtensions)) return true;
    DeflateParameters agreed;
    std::string answer;
    const DeflateChoice choice =
        AcceptDeflateOffer(request.fields().GetAll(FieldId::kSecWebSocketExtensions),
                           options_.deflate.value_or(DeflateParameters()), &agreed, &answer);
    if (choice == DeflateChoice::kBad) {
      response.SendError(400, "Sec-WebSocket-Extensions is no list of extensions\n");
      return false;
    }
    if (choice == DeflateChoice::kNone || !options_.deflate) return true;
    DeflatePool& pool = pools_.Of(response.loop(), options_.deflate_pool);
    setup.inflater = MakeInflater(agreed, Role::kServer, &pool);
    setup.deflater = MakeDeflater(agreed, Role::kServer, &pool);
    setup.shares_compressed =
        agreed.server_no_context_takeover && agreed.server_max_window_bits == kMaxWindowBits;
    response.Add("Sec-WebSocket-Extensions", answer);
    return true;
  }

  const SocketHandlerFactory factory_;
  const EndpointOptions options_;
  const std::shared_ptr<const SocketOptions> socket_options_;
  const std::vector<std::string_view> supported_;
  std::vector<std::shared_ptr<const std::string>> subprotocols_;
  std::shared_ptr<const std::string> no_subprotocol_;
  http::PerLoop<DeflatePool> pools_;
};

}  // namespace

http::Handler WebSocketEndpoint(SocketHandlerFactory factory, EndpointOptions options) {
  auto endpoint = std::make_shared<Endpoint>(std::move(factory), std::move(options));
  return [endpoint](http::Request& request, http::Response& response) {
    endpoint->Connect(request, response);
  };
}

}  // namespace strata::ws
