#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // as Node does: a connection that the peer closed is an error of the write
  ::testing::InitGoogleTest(&argc, argv);
  if (std::getenv("TIERCEL_TEST_REDIS_URL") == nullptr) {
    std::string& filter = ::testing::GTEST_FLAG(filter);
    filter += filter.find('-') == std::string::npos ? "-*RealServer*" : ":*RealServer*";
    std::puts("The tests against a real server (RealServer) are left out: TIERCEL_TEST_REDIS_URL is not set.");
  }
  return RUN_ALL_TESTS();
}
