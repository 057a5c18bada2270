// The reader of replies: whatever comes, in whatever pieces, the same replies and the same error come out, and nothing
// larger than the limits is held. The input: a byte that says how many pieces, their sizes, and the stream.
#include <memory>
#include <string>
#include <vector>

#include "fuzz_input.h"
#include "redis/reply_reader.h"

namespace tiercel::fuzz {
namespace {

using redis::Reply;
using redis::ReplyNode;
using redis::ReplyReader;
using redis::ReplyTree;
using redis::ReplyType;

constexpr bool isAggregate(ReplyType type) { return type >= ReplyType::kArray; }

// Writes down every byte of every reply, and checks that the trees hold together.
class Sink final : public redis::ReplySink {
 public:
  explicit Sink(const ReplyReader::Limits& limits) : limits_(limits) {}

  void onReply(const Reply& reply) override {
    if (reply.tree != nullptr) {
      require(reply.type == reply.tree->nodes.front().type, "the type of a reply is that of its tree");
      require(reply.type != ReplyType::kPush, "a push is no reply");
      return write("reply", *reply.tree);
    }
    require(!isAggregate(reply.type), "an aggregate has a tree");
    log += "reply ";
    writeScalar(reply.type, reply.integer, reply.number, reply.text);
  }
  void onPush(const ReplyTree& push) override {
    require(push.nodes.front().type == ReplyType::kPush, "a push is a push");
    write("push", push);
  }

  std::string log;

 private:
  void write(const char* what, const ReplyTree& tree) {
    require(tree.nodes.size() * sizeof(ReplyNode) + tree.text.size() <= limits_.maxReply,
            "a reply is within its limit");
    log.append(what).append(" ");
    std::size_t at = 0;
    walk(tree, at, 1);
    require(at == tree.nodes.size(), "every node belongs to the reply");
  }
  void walk(const ReplyTree& tree, std::size_t& at, std::size_t depth) {
    require(at < tree.nodes.size(), "every child is there");
    const ReplyNode& node = tree.nodes[at++];
    if (!isAggregate(node.type)) {
      if (redis::isText(node.type)) {
        require(node.value.offset + node.length <= tree.text.size(), "a text lies within the tree");
        writeScalar(node.type, 0, 0, tree.textOf(node));
      } else {
        require(tree.textOf(node).empty(), "what is no text has none");
        writeScalar(node.type, node.type == ReplyType::kDouble ? 0 : node.value.integer,
                    node.type == ReplyType::kDouble ? node.value.number : 0, {});
      }
      return;
    }
    require(depth <= limits_.maxDepth, "nesting is within its limit");
    require(node.type != ReplyType::kMap || node.length % 2 == 0, "a map has a value for every key");
    log += std::to_string(static_cast<int>(node.type)) + "[";
    for (std::uint32_t i = 0; i < node.length; ++i) walk(tree, at, depth + 1);
    log += "]";
  }
  void writeScalar(ReplyType type, std::int64_t integer, double number, std::string_view text) {
    log += std::to_string(static_cast<int>(type)) + ":" + std::to_string(integer) + ":" + std::to_string(number) + ":" +
           std::to_string(text.size()) + ":";
    log.append(text).append("\n");
  }

  const ReplyReader::Limits& limits_;
};

struct Outcome {
  std::string log;
  std::string error;
};

Outcome read(std::string_view stream, std::string_view sizes, const ReplyReader::Limits& limits) {
  Sink sink(limits);
  ReplyReader reader(sink, limits);
  for (std::size_t piece = 0; !stream.empty(); ++piece) {
    const std::size_t size =
        sizes.empty() ? stream.size() : 1 + static_cast<std::uint8_t>(sizes[piece % sizes.size()]) % 64;
    // A block of its own, so that reading past it is seen.
    const std::vector<char> block(stream.begin(),
                                  stream.begin() + static_cast<std::ptrdiff_t>(std::min(size, stream.size())));
    stream.remove_prefix(block.size());
    if (reader.feed(block.data(), block.size())) continue;
    require(!reader.error().empty(), "a failure has a reason");
    const std::string log = sink.log;
    require(!reader.feed("+OK\r\n", 5) && sink.log == log, "nothing is read behind an error");
    break;
  }
  return {std::move(sink.log), reader.error()};
}

}  // namespace
}  // namespace tiercel::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tiercel::fuzz;
  // Lines and strings longer than the limit may or may not be refused when they come in one piece with their end: what
  // is compared has limits that no input reaches, and what has small limits only has to survive.
  constexpr ReplyReader::Limits kWide{.maxDepth = 8, .maxLine = 1 << 20, .maxBulk = 1 << 20, .maxReply = 1 << 11};
  constexpr ReplyReader::Limits kNarrow{.maxDepth = 3, .maxLine = 24, .maxBulk = 16, .maxReply = 256};
  if (size > (1 << 16)) return -1;
  Input input(data, size);
  const std::string_view sizes = input.bytes(1 + input.byte() % 16);
  const std::string_view stream = input.all();
  const Outcome whole = read(stream, {}, kWide);
  for (const std::string_view pieces : {sizes, std::string_view("\0", 1)}) {
    const Outcome split = read(stream, pieces, kWide);
    require(split.log == whole.log, "pieces give the same replies");
    require(split.error == whole.error, "pieces give the same error");
  }
  read(stream, {}, kNarrow);
  read(stream, sizes, kNarrow);
  return 0;
}
