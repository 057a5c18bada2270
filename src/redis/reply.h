// Replies as the reader hands them on: a scalar that points into the read buffer, or an aggregate as a flat tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tiercel::redis {

enum class ReplyType : std::uint8_t {
  kString,
  kStatus,
  kError,
  kInteger,
  kDouble,
  kBool,
  kNil,
  kBigNumber,
  kVerbatim,  // text without its "txt:" prefix
  kArray,
  kMap,  // `length` counts keys and values
  kSet,
  kPush,
};

constexpr bool isText(ReplyType type) {
  return type == ReplyType::kString || type == ReplyType::kStatus || type == ReplyType::kError ||
         type == ReplyType::kBigNumber || type == ReplyType::kVerbatim;
}

// One item of a tree, in pre-order: an aggregate is followed by its `length` children and theirs.
struct ReplyNode {
  ReplyType type = ReplyType::kNil;
  std::uint32_t length = 0;  // children, or bytes of text
  union Value {
    std::int64_t integer;  // kInteger; 0 or 1 for kBool
    double number;         // kDouble
    std::uint64_t offset;  // of the text in ReplyTree::text
  } value{0};
};

struct ReplyTree {
  std::vector<ReplyNode> nodes;
  std::string text;

  // "" for what is no text, whose value is no offset.
  [[nodiscard]] std::string_view textOf(const ReplyNode& node) const {
    if (!isText(node.type)) return {};
    return std::string_view(text).substr(node.value.offset, node.length);
  }
  void clear() {
    nodes.clear();
    text.clear();
  }
};

// One whole reply. `text` and `tree` are valid until the handler returns.
struct Reply {
  ReplyType type = ReplyType::kNil;
  std::int64_t integer = 0;         // kInteger; 0 or 1 for kBool
  double number = 0;                // kDouble
  std::string_view text{};          // kString, kStatus, kError, kBigNumber, kVerbatim
  const ReplyTree* tree = nullptr;  // aggregates: nodes[0] is the reply itself

  [[nodiscard]] bool isError() const { return type == ReplyType::kError; }
  [[nodiscard]] bool isNil() const { return type == ReplyType::kNil; }
};

}  // namespace tiercel::redis
