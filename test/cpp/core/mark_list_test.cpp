// Marks hold a reference to each of their cells for as long as they are on a list.
#include "core/coherence/mark_list.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "core/coherence/source_table.h"

namespace tiercel::test {
namespace {

using namespace core;

struct MarkListTest : testing::Test {
  SourceTable sources;
  TagTable tags{sources, true};

  TagMark markOf(TagCell cell) { return tags.mark(cell, 0).value_or(TagMark{}); }
  MarkList listOf(std::string_view name) {
    MarkList list;
    const TagCell cell = tags.acquire(name);
    list.add(tags, markOf(cell));
    tags.release(cell);
    return list;
  }
  // Pushes everything out that has no reference.
  void flood() {
    for (std::size_t i = 0; i < 2 * TagTable::kMaxIdleCells; ++i)
      tags.release(tags.acquire("flood:" + std::to_string(i)));
  }
};

TEST_F(MarkListTest, KeepsItsCells) {
  const MarkList list = listOf("kept");
  tags.release(tags.acquire("not kept"));
  flood();
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(tags.name(list.view()[0].cell), "kept");
  EXPECT_TRUE(tags.valid(list.view()[0], 0));
  tags.invalidate("kept");
  EXPECT_FALSE(tags.valid(list.view()[0], 0));
}

TEST_F(MarkListTest, LetsGoOfThemOnce) {
  {
    MarkList list = listOf("x");
    MarkList copy;
    copy.append(list);
    copy.append(list);
    EXPECT_EQ(copy.size(), 2U);
    list.clear();
    list.clear();
    EXPECT_EQ(list.size(), 0U);
    MarkList moved = std::move(copy);
    EXPECT_EQ(moved.size(), 2U);
    MarkList assigned = listOf("y");
    assigned = std::move(moved);
    flood();
    EXPECT_EQ(tags.name(assigned.view()[1].cell), "x");
  }
  // Nothing holds either any more: both can be pushed out.
  flood();
  EXPECT_LE(tags.size(), TagTable::kMaxIdleCells);
  const TagCell cell = tags.acquire("z");
  tags.release(cell);
}

}  // namespace
}  // namespace tiercel::test
