// How often a key was asked for lately: a count-min sketch of 4-bit counters that are halved now and then (TinyLFU).
// 4 bytes per key that it is sized for. The four counters of a key are within 64 bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <new>
#include <vector>

namespace tiercel::core {

class FrequencySketch {
 public:
  static constexpr unsigned kMax = 15;

  // Makes room for so many keys and keeps what is known. false: no memory left, nothing has changed.
  bool ensure(std::size_t keys) noexcept {
    if (keys <= keys_) return true;
    try {
      if (blocks_.empty()) {
        blocks_.resize(std::max<std::size_t>(kMinBlocks, (keys + kKeysPerBlock - 1) / kKeysPerBlock));
      } else {
        // blockOf() scales the hash, so that a new block has keys of one old block, or of two neighbours.
        const std::size_t before = blocks_.size();
        std::vector<Block> grown((keys + kKeysPerBlock - 1) / kKeysPerBlock);
        for (std::size_t i = 0; i < grown.size(); ++i) {
          const std::size_t first = i * before / grown.size();
          const std::size_t last = ((i + 1) * before - 1) / grown.size();
          grown[i] = first == last ? blocks_[first] : greater(blocks_[first], blocks_[last]);
        }
        blocks_.swap(grown);
      }
    } catch (const std::bad_alloc&) {
      return false;
    }
    keys_ = blocks_.size() * kKeysPerBlock;
    return true;
  }

  [[nodiscard]] std::size_t bytes() const { return blocks_.size() * sizeof(Block); }
  void prefetch(std::uint32_t hash) const {
    if (!blocks_.empty()) __builtin_prefetch(&blocks_[blockOf(hash)], 1);
  }
  [[nodiscard]] bool empty() const { return blocks_.empty(); }
  [[nodiscard]] std::size_t keys() const { return keys_; }

  [[nodiscard]] unsigned frequency(std::uint32_t hash) const {
    if (blocks_.empty()) return 0;
    const Block& block = blocks_[blockOf(hash)];
    std::uint32_t bits = spread(hash);
    unsigned least = kMax;
    for (unsigned row = 0; row < kRows; ++row, bits >>= 8) least = std::min(least, counter(block, row, bits));
    return least;
  }

  void count(std::uint32_t hash) {
    if (blocks_.empty()) return;
    const unsigned least = frequency(hash);
    if (least < kMax) {
      // Only the lowest counters: the others belong to keys that are asked for more often.
      Block& block = blocks_[blockOf(hash)];
      std::uint32_t bits = spread(hash);
      for (unsigned row = 0; row < kRows; ++row, bits >>= 8) {
        if (counter(block, row, bits) == least) block.words[wordOf(row, bits)] += std::uint64_t{1} << shiftOf(bits);
      }
    }
  }

  // Halves all counters.
  void age() {
    for (Block& block : blocks_) {
      for (std::uint64_t& word : block.words) word = (word >> 1) & 0x7777777777777777U;
    }
  }

  void clear() {
    std::vector<Block>().swap(blocks_);  // gives the memory back, too
    keys_ = 0;
  }

 private:
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kKeysPerBlock = 16;
  static constexpr std::size_t kMinBlocks = 4;

  struct Block {
    std::uint64_t words[8] = {};
  };

  // The greater one of each two counters.
  static Block greater(const Block& a, const Block& b) {
    Block result;
    for (unsigned i = 0; i < std::size(a.words); ++i) {
      for (unsigned shift = 0; shift < 64; shift += 4) {
        const std::uint64_t counter = std::max(a.words[i] >> shift & kMax, b.words[i] >> shift & kMax);
        result.words[i] |= counter << shift;
      }
    }
    return result;
  }

  [[nodiscard]] std::size_t blockOf(std::uint32_t hash) const {
    return std::uint64_t{hash * 0x9E3779B1U} * blocks_.size() >> 32;
  }

  static std::uint32_t spread(std::uint32_t hash) {
    hash = (hash ^ hash >> 15) * 0x2C1B3C6DU;
    hash = (hash ^ hash >> 12) * 0x297A2D39U;
    return hash ^ hash >> 15;
  }

  // Each row has two words of the block: 1 bit of the hash selects the word, 4 the counter.
  static unsigned wordOf(unsigned row, std::uint32_t bits) { return row * 2 + (bits & 1); }
  static unsigned shiftOf(std::uint32_t bits) { return (bits >> 1 & 15) * 4; }
  static unsigned counter(const Block& block, unsigned row, std::uint32_t bits) {
    return static_cast<unsigned>(block.words[wordOf(row, bits)] >> shiftOf(bits) & 15);
  }

  std::vector<Block> blocks_;
  std::size_t keys_ = 0;
};

}  // namespace tiercel::core
