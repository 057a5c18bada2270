// Marks of tags with a reference to each of their cells, so that a cell is still that tag's when the mark is used.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "core/coherence/tag_table.h"

namespace tiercel::core {

class MarkList {
 public:
  MarkList() = default;
  ~MarkList() { clear(); }
  MarkList(MarkList&& other) noexcept
      : tags_(std::exchange(other.tags_, nullptr)), marks_(std::exchange(other.marks_, {})) {}
  MarkList& operator=(MarkList&& other) noexcept {
    std::swap(tags_, other.tags_);
    std::swap(marks_, other.marks_);
    return *this;
  }
  MarkList(const MarkList&) = delete;
  MarkList& operator=(const MarkList&) = delete;

  // The caller has a reference to the cell. All marks of a list are of one table.
  void add(TagTable& tags, const TagMark& mark) {
    marks_.push_back(mark);
    tags_ = &tags;
    tags.addReference(mark.cell);
  }
  void append(const MarkList& other) {
    for (const TagMark& mark : other.marks_) add(*other.tags_, mark);
  }
  void clear() {
    for (const TagMark& mark : marks_) tags_->release(mark.cell);
    marks_.clear();
  }

  [[nodiscard]] std::size_t size() const { return marks_.size(); }
  [[nodiscard]] std::span<const TagMark> view() const { return marks_; }

 private:
  TagTable* tags_ = nullptr;
  std::vector<TagMark> marks_;
};

}  // namespace tiercel::core
