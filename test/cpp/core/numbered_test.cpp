// Numbers for things that are open: who comes late with an old one finds nothing, and never somebody else's.
#include "core/numbered.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "samples.h"

namespace tiercel::test {
namespace {

using core::Numbered;
using Number = Numbered<int>::Number;

TEST(NumberedTest, FindsWhatIsOpen) {
  Numbered<int> numbered;
  const Number a = numbered.open();
  const Number b = numbered.open();
  EXPECT_NE(a, b);
  *numbered.find(a) = 1;
  *numbered.find(b) = 2;
  EXPECT_EQ(*numbered.find(a), 1);
  EXPECT_EQ(*numbered.find(b), 2);
  const Numbered<int>& view = numbered;
  EXPECT_EQ(view.find(a), numbered.find(a));
}

TEST(NumberedTest, FindsNothingUnderANumberOfNobody) {
  Numbered<int> numbered;
  EXPECT_EQ(numbered.find(1), nullptr) << "nothing was ever open";
  const Number a = numbered.open();
  for (const Number none :
       {Number{0}, a + 1, a - 1, Number{1} << 24, a + (Number{1} << 24), a + (Number{1} << 53), ~Number{0}}) {
    EXPECT_EQ(numbered.find(none), nullptr) << none;
    numbered.close(none);
  }
  EXPECT_NE(numbered.find(a), nullptr);
}

TEST(NumberedTest, ANumberIsNotUsedAgain) {
  Numbered<int> numbered;
  std::set<Number> used;
  for (int i = 0; i < 10000; ++i) {
    const Number number = numbered.open();
    ASSERT_TRUE(used.insert(number).second) << i;
    ASSERT_NE(number, 0U);
    ASSERT_LT(number, Number{1} << 53) << "a JavaScript number";
    numbered.close(number);
    ASSERT_EQ(numbered.find(number), nullptr);
  }
  const Number open = numbered.open();
  for (const Number stale : used) ASSERT_EQ(numbered.find(stale), nullptr);
  EXPECT_NE(numbered.find(open), nullptr);
}

TEST(NumberedTest, ClosingTwiceClosesNobodyElse) {
  Numbered<int> numbered;
  const Number first = numbered.open();
  numbered.close(first);
  numbered.close(first);
  const Number second = numbered.open();
  const Number third = numbered.open();
  EXPECT_NE(numbered.find(second), numbered.find(third)) << "one place was free, not two";
  numbered.close(first);
  EXPECT_NE(numbered.find(second), nullptr);
  EXPECT_NE(numbered.find(third), nullptr);
}

// So that what it holds need not be allocated again; whoever opens it puts it in order.
TEST(NumberedTest, ANewOneIsAsTheOneBeforeLeftIt) {
  Numbered<std::string> numbered;
  const auto first = numbered.open();
  *numbered.find(first) = "left behind";
  numbered.close(first);
  EXPECT_EQ(*numbered.find(numbered.open()), "left behind");
}

TEST(NumberedTest, VisitsWhatIsOpen) {
  Numbered<int> numbered;
  std::vector<Number> numbers;
  for (int i = 0; i < 5; ++i) {
    numbers.push_back(numbered.open());
    *numbered.find(numbers.back()) = i;
  }
  numbered.close(numbers[1]);
  numbered.close(numbers[4]);
  std::multiset<int> seen;
  numbered.forEach([&](int value) { seen.insert(value); });
  EXPECT_EQ(seen, std::multiset<int>({0, 2, 3}));
}

TEST(NumberedTest, AgreesWithAModel) {
  Random random(7);
  Numbered<int> numbered;
  std::vector<std::pair<Number, int>> open;
  std::vector<Number> closed;
  std::set<Number> ever;
  for (int i = 0; i < 20000; ++i) {
    if (open.empty() || (below(random, 2) == 0 && open.size() < 50)) {
      const Number number = numbered.open();
      ASSERT_TRUE(ever.insert(number).second);
      *numbered.find(number) = i;
      open.emplace_back(number, i);
    } else {
      const std::size_t which = below(random, open.size());
      numbered.close(open[which].first);
      closed.push_back(open[which].first);
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(which));
    }
    for (const auto& [number, value] : open) ASSERT_EQ(*numbered.find(number), value);
    if (!closed.empty()) {
      ASSERT_EQ(numbered.find(closed[below(random, closed.size())]), nullptr);
    }
  }
}

}  // namespace
}  // namespace tiercel::test
