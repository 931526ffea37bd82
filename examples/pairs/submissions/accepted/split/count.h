#pragma once

#include <cstdint>

std::int64_t count_pairs(std::int64_t n);
