// Finds entries by the hash of their key. A bucket is a cache line: the handles of its entries and 16 bits of the hash
// of each, so that a miss costs one line, and a hit one more for the entry itself. Linear hashing: it grows and shrinks
// by one bucket at a time, and mostly needs no hash but those bits for it. What finds no room in its bucket goes into
// spill buckets behind it.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "core/memory/eviction.h"

namespace tiercel::core {

// Nodes offers: std::uint32_t hash(Slot).
template <class Nodes>
class BucketTable {
 public:
  // May throw std::bad_alloc.
  explicit BucketTable(Nodes& nodes) : nodes_(nodes) { segments_.push_back(std::make_unique<Bucket[]>(kSegment)); }

  // The one with this hash for which `same` says so; `same` may be asked about others, too.
  template <class Same>
  [[nodiscard]] Slot find(std::uint32_t hash, const Same& same) const {
    const std::uint16_t tag = tagOf(hash);
    for (const Bucket* bucket = &bucketAt(indexOf(hash)); bucket != nullptr; bucket = behind(*bucket)) {
      for (Matches left = matches(*bucket, tag); left != 0; left &= left - 1) {
        const Slot slot = bucket->slots[static_cast<unsigned>(std::countr_zero(left))];
        if (slot != kNoSlot && same(slot)) return slot;
      }
    }
    return kNoSlot;
  }

  // false: there is no memory, nothing has changed.
  [[nodiscard]] bool insert(Slot slot, std::uint32_t hash) {
    for (int i = 0; i < 2 && entries_ >= count_ * kMostLoad; ++i) grow();
    Writer to = endOf(indexOf(hash));
    if (to.used == kSlots && !reserveSpills(1)) return false;
    append(to, tagOf(hash), slot);
    finish(to);
    ++entries_;
    return true;
  }

  void replace(Slot slot, Slot by, std::uint32_t hash) { *placeOf(slot, hash).slot = by; }

  void remove(Slot slot, std::uint32_t hash) {
    const std::uint32_t index = indexOf(hash);
    const Place place = placeOf(slot, hash);
    Bucket* before = nullptr;
    Bucket* last = &bucketAt(index);
    while (last->next != kNone) {
      before = last;
      last = &spill(last->next);
    }
    // The last of the chain takes its place: chains have no holes.
    const unsigned at = usedOf(*last) - 1;
    *place.slot = last->slots[at];
    *place.tag = last->tags[at];
    last->slots[at] = kNoSlot;
    if (at == 0 && before != nullptr) {
      giveSpills(before->next);
      before->next = kNone;
    }
    --entries_;
    if (!walking_) shrink(kShrinksPerRemove);
  }

  // Walks all entries in the order of their reversed hashes, which does not change when the table grows or shrinks.
  // From 0; gives to `visit` the entries of one bucket that are not behind the cursor; kEnd after the last. `visit` may
  // remove the entry that it is given.
  static constexpr std::uint64_t kEnd = UINT64_C(1) << 32;
  template <class Visit>
  std::uint64_t walk(std::uint64_t cursor, const Visit& visit) {
    const std::uint32_t index = indexOf(reversed(static_cast<std::uint32_t>(cursor)));
    const std::uint32_t mask = std::bit_ceil(count_) - 1;
    // Whether the bucket is told from others by all bits of the mask, or by one less.
    const bool split = index > mask >> 1 || (index | ((mask >> 1) + 1)) < count_;
    const unsigned bits = static_cast<unsigned>(std::popcount(mask)) - (split ? 0 : 1);
    const std::size_t before = entries_;
    {
      const Walking guard(*this);
      // From the back: what is removed is replaced by one that was visited before.
      for (std::size_t left = lengthOf(index); left > 0; --left) {
        const Slot slot = slotAt(index, left - 1);
        if (reversed(nodes_.hash(slot)) >= cursor) visit(slot);
      }
    }
    const std::uint64_t next = ((cursor >> (32 - bits)) + 1) << (32 - bits);
    // At the end all at once: before, what could be joined may have waited for what could not.
    shrink(next == kEnd ? count_ : (before - entries_) * kShrinksPerRemove);
    return next;
  }

  void clear() {
    segments_.resize(1);
    for (std::uint32_t i = 0; i < kSegment; ++i) segments_[0][i] = Bucket();
    count_ = kSegment;
    entries_ = 0;
    dropSpills();
  }

  // What has been allocated since the table was made.
  [[nodiscard]] std::size_t bytes() const {
    return ((segments_.size() - 1) * kSegment + spills_.size() * kSpills) * sizeof(Bucket);
  }

 private:
  static constexpr unsigned kSlots = 10;
  static constexpr std::uint32_t kSegment = 64;  // buckets; also the fewest that there are
  static constexpr std::uint32_t kSpills = 16;
  static constexpr std::uint32_t kMostLoad = 7;  // entries per bucket, on average
  static constexpr std::uint32_t kLeastLoad = 2;
  static constexpr std::size_t kShrinksPerRemove = 8;
  static constexpr std::uint32_t kNone = UINT32_MAX;
  // The lower bits of a hash choose the bucket. The tag begins above a few of them that only a small table does not
  // use, and has what growing asks for until there are 2^26 buckets.
  static constexpr unsigned kTagShift = 10;
  static constexpr unsigned kTagBits = 16;

  using Matches = std::uint32_t;

  struct alignas(64) Bucket {
    Bucket() { slots.fill(kNoSlot); }
    std::array<std::uint16_t, kSlots> tags{};
    std::array<Slot, kSlots> slots;  // those in use come first
    std::uint32_t next = kNone;      // a spill bucket, when this one is full
  };
  static_assert(sizeof(Bucket) == 64);

  struct Place {
    Slot* slot;
    std::uint16_t* tag;
  };

  // Where the next entry of a chain goes.
  struct Writer {
    Bucket* bucket;
    unsigned used = 0;
  };

  class Walking {
   public:
    explicit Walking(BucketTable& table) : table_(table) { table_.walking_ = true; }
    ~Walking() { table_.walking_ = false; }
    Walking(const Walking&) = delete;
    Walking& operator=(const Walking&) = delete;

   private:
    BucketTable& table_;
  };

  static std::uint32_t reversed(std::uint32_t bits) {
    bits = (bits >> 1 & 0x55555555U) | (bits & 0x55555555U) << 1;
    bits = (bits >> 2 & 0x33333333U) | (bits & 0x33333333U) << 2;
    bits = (bits >> 4 & 0x0f0f0f0fU) | (bits & 0x0f0f0f0fU) << 4;
    bits = (bits >> 8 & 0x00ff00ffU) | (bits & 0x00ff00ffU) << 8;
    return bits >> 16 | bits << 16;
  }

  static std::uint16_t tagOf(std::uint32_t hash) { return static_cast<std::uint16_t>(hash >> kTagShift); }

  // Which entries of the bucket have this tag, one bit each; places that are not in use may be among them.
  static Matches matches(const Bucket& bucket, std::uint16_t tag) {
    Matches found = 0;
    for (unsigned i = 0; i < kSlots; ++i) found |= Matches{bucket.tags[i] == tag} << i;
    return found;
  }

  static unsigned usedOf(const Bucket& bucket) {
    unsigned used = 0;
    while (used < kSlots && bucket.slots[used] != kNoSlot) ++used;
    return used;
  }

  [[nodiscard]] std::uint32_t indexOf(std::uint32_t hash) const {
    const std::uint32_t mask = std::bit_ceil(count_) - 1;
    const std::uint32_t index = hash & mask;
    return index < count_ ? index : index & (mask >> 1);
  }
  [[nodiscard]] Bucket& bucketAt(std::uint32_t index) const { return segments_[index / kSegment][index % kSegment]; }
  [[nodiscard]] Bucket& spill(std::uint32_t number) const { return spills_[number / kSpills][number % kSpills]; }
  [[nodiscard]] const Bucket* behind(const Bucket& bucket) const {
    return bucket.next == kNone ? nullptr : &spill(bucket.next);
  }

  [[nodiscard]] Place placeOf(Slot slot, std::uint32_t hash) const {
    Bucket* bucket = &bucketAt(indexOf(hash));
    for (unsigned i = 0;; ++i) {
      if (i == kSlots) {
        bucket = &spill(bucket->next);
        i = 0;
      }
      if (bucket->slots[i] == slot) return {.slot = &bucket->slots[i], .tag = &bucket->tags[i]};
    }
  }

  [[nodiscard]] Slot slotAt(std::uint32_t index, std::size_t position) const {
    const Bucket* bucket = &bucketAt(index);
    for (; position >= kSlots; position -= kSlots) bucket = behind(*bucket);
    return bucket->slots[position];
  }

  [[nodiscard]] std::size_t lengthOf(std::uint32_t index) const {
    std::size_t length = 0;
    const Bucket* bucket = &bucketAt(index);
    for (; bucket->next != kNone; bucket = behind(*bucket)) length += kSlots;
    return length + usedOf(*bucket);
  }

  static std::size_t bucketsFor(std::size_t entries) { return entries <= kSlots ? 1 : (entries + kSlots - 1) / kSlots; }

  [[nodiscard]] Writer endOf(std::uint32_t index) const {
    Bucket* bucket = &bucketAt(index);
    while (bucket->next != kNone) bucket = &spill(bucket->next);
    return {.bucket = bucket, .used = usedOf(*bucket)};
  }

  // A spill bucket for it must be there.
  void append(Writer& to, std::uint16_t tag, Slot slot) {
    if (to.used == kSlots) {
      if (to.bucket->next == kNone) to.bucket->next = takeSpill();
      to = {.bucket = &spill(to.bucket->next), .used = 0};
    }
    to.bucket->tags[to.used] = tag;
    to.bucket->slots[to.used++] = slot;
  }

  // Nothing of the chain is left behind it.
  void finish(const Writer& to) {
    for (unsigned i = to.used; i < kSlots && to.bucket->slots[i] != kNoSlot; ++i) to.bucket->slots[i] = kNoSlot;
    if (to.bucket->next == kNone) return;
    giveSpills(to.bucket->next);
    to.bucket->next = kNone;
  }

  // So that takeSpill() can be called so many times. false: no memory.
  bool reserveSpills(std::size_t count) {
    while (freeSpills_ < count) {
      try {
        spills_.reserve(spills_.size() + 1 > spills_.capacity() ? spills_.size() * 2 + 1 : 0);
        spills_.push_back(std::make_unique<Bucket[]>(kSpills));
      } catch (const std::bad_alloc&) {
        return false;
      }
      const auto first = static_cast<std::uint32_t>((spills_.size() - 1) * kSpills);
      for (std::uint32_t i = 0; i < kSpills; ++i) spill(first + i).next = i + 1 < kSpills ? first + i + 1 : freeSpill_;
      freeSpill_ = first;
      freeSpills_ += kSpills;
    }
    return true;
  }

  std::uint32_t takeSpill() {
    const std::uint32_t taken = freeSpill_;
    freeSpill_ = spill(taken).next;
    --freeSpills_;
    spill(taken) = Bucket();
    return taken;
  }

  // This one and all behind it.
  void giveSpills(std::uint32_t first) {
    while (first != kNone) {
      const std::uint32_t next = spill(first).next;
      spill(first).next = freeSpill_;
      freeSpill_ = first;
      ++freeSpills_;
      first = next;
    }
  }

  void dropSpills() {
    spills_.clear();
    freeSpill_ = kNone;
    freeSpills_ = 0;
  }

  // Splits the bucket whose turn it is. Without memory the chains just get longer.
  void grow() {
    const std::uint32_t added = count_;
    const std::uint32_t top = std::bit_floor(added);
    const std::uint32_t index = added - top;
    const std::size_t length = lengthOf(index);
    if (length > kSlots && !reserveSpills(length / kSlots)) return;
    if (added / kSegment >= segments_.size()) {
      try {
        segments_.push_back(std::make_unique<Bucket[]>(kSegment));
      } catch (const std::bad_alloc&) {
        return;
      }
    }
    ++count_;
    Writer stay{.bucket = &bucketAt(index)};
    Writer move{.bucket = &bucketAt(added)};
    const Bucket* from = stay.bucket;
    for (std::size_t left = length; left > 0;) {
      for (unsigned i = 0; i < kSlots && left > 0; ++i, --left) {
        append(isSet(*from, i, top) ? move : stay, from->tags[i], from->slots[i]);
      }
      from = behind(*from);
    }
    finish(stay);
    finish(move);
    __builtin_prefetch(&bucketAt(index + 1 < top ? index + 1 : 0), 1);  // the next to be split
  }

  // Whether the hash of an entry has that bit.
  [[nodiscard]] bool isSet(const Bucket& bucket, unsigned at, std::uint32_t bit) const {
    const auto number = static_cast<unsigned>(std::countr_zero(bit));
    if (number < kTagShift || number >= kTagShift + kTagBits) return (nodes_.hash(bucket.slots[at]) & bit) != 0;
    return (bucket.tags[at] >> (number - kTagShift) & 1) != 0;
  }

  // Joins the last bucket with the one that it was split from, up to so many times. Takes no memory.
  void shrink(std::size_t times) {
    for (; times > 0 && count_ > kSegment && entries_ < count_ * kLeastLoad; --times) {
      const std::uint32_t last = count_ - 1;
      const std::uint32_t index = last - std::bit_floor(last);
      const std::size_t length = lengthOf(last);
      if (bucketsFor(lengthOf(index) + length) > bucketsFor(lengthOf(index)) + freeSpills_) return;
      Writer to = endOf(index);
      for (std::size_t i = 0; i < length; ++i) append(to, tagAt(last, i), slotAt(last, i));
      finish(to);
      finish({.bucket = &bucketAt(last)});
      --count_;
      if (count_ % kSegment == 0) segments_.pop_back();
    }
    if (freeSpills_ == spills_.size() * kSpills && count_ == kSegment) dropSpills();
  }

  [[nodiscard]] std::uint16_t tagAt(std::uint32_t index, std::size_t position) const {
    const Bucket* bucket = &bucketAt(index);
    for (; position >= kSlots; position -= kSlots) bucket = behind(*bucket);
    return bucket->tags[position];
  }

  Nodes& nodes_;
  std::vector<std::unique_ptr<Bucket[]>> segments_;
  std::vector<std::unique_ptr<Bucket[]>> spills_;
  std::uint32_t freeSpill_ = kNone;
  std::size_t freeSpills_ = 0;
  std::uint32_t count_ = kSegment;  // buckets
  std::uint32_t entries_ = 0;
  bool walking_ = false;
};

}  // namespace tiercel::core
