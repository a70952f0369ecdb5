// Two-level logic minimisation in the manner of Espresso (Brayton, Hachtel, McMullen and
// Sangiovanni-Vincentelli, "Logic Minimization Algorithms for VLSI Synthesis", 1984): covers of
// cubes are split, cofactored and merged recursively. Many short arrays and bit sets whose lives
// nest, arrays that grow by realloc, one thread, small live set.

#include <string.h>

#include "bench/mm/workloads/workload.h"

namespace strata::bench {
namespace {

// Two bits for each variable: may be 0, may be 1. 11 is "either", 00 makes the cube empty.
struct Cube {
  uint32_t words;
  uint64_t bits[];
};

struct Cover {
  uint32_t variables;
  uint32_t count;
  uint32_t capacity;
  Cube** cubes;
};

constexpr uint64_t kLowBits = 0x5555555555555555u;
constexpr uint32_t kVariablesPerWord = 32;

uint32_t WordsFor(uint32_t variables) {
  return (variables + kVariablesPerWord - 1) / kVariablesPerWord;
}

size_t CubeBytes(uint32_t words) { return sizeof(Cube) + words * sizeof(uint64_t); }

// Returns the cube that holds every point.
Cube* NewCube(uint32_t variables) {
  const uint32_t words = WordsFor(variables);
  auto* cube = static_cast<Cube*>(Allocate(CubeBytes(words)));
  cube->words = words;
  memset(cube->bits, 0xff, words * sizeof(uint64_t));
  return cube;
}

Cube* CopyCube(const Cube* cube) {
  auto* copy = static_cast<Cube*>(Allocate(CubeBytes(cube->words)));
  memcpy(copy, cube, CubeBytes(cube->words));
  return copy;
}

unsigned Literal(const Cube* cube, uint32_t variable) {
  return cube->bits[variable / kVariablesPerWord] >> (variable % kVariablesPerWord * 2) & 3;
}

void SetLiteral(Cube* cube, uint32_t variable, uint64_t literal) {
  const uint32_t shift = variable % kVariablesPerWord * 2;
  uint64_t* word = &cube->bits[variable / kVariablesPerWord];
  *word = (*word & ~(uint64_t{3} << shift)) | literal << shift;
}

bool Intersects(const Cube* a, const Cube* b) {
  for (uint32_t i = 0; i < a->words; ++i) {
    const uint64_t both = a->bits[i] & b->bits[i];
    if (((both | both >> 1) & kLowBits) != kLowBits) return false;
  }
  return true;
}

bool Contains(const Cube* outer, const Cube* inner) {
  for (uint32_t i = 0; i < outer->words; ++i) {
    if ((inner->bits[i] & ~outer->bits[i]) != 0) return false;
  }
  return true;
}

bool IsUniversal(const Cube* cube) {
  for (uint32_t i = 0; i < cube->words; ++i) {
    if (cube->bits[i] != UINT64_MAX) return false;
  }
  return true;
}

Cover* NewCover(uint32_t variables) {
  auto* cover = static_cast<Cover*>(Allocate(sizeof(Cover)));
  *cover = {variables, 0, 4, AllocateArray<Cube*>(4)};
  return cover;
}

// Appends `cube`, which the cover then owns.
void Append(Cover* cover, Cube* cube) {
  if (cover->count == cover->capacity) {
    cover->capacity += cover->capacity / 2 + 1;
    cover->cubes =
        static_cast<Cube**>(Reallocate(cover->cubes, cover->capacity * sizeof(cover->cubes[0])));
  }
  cover->cubes[cover->count++] = cube;
}

void FreeCover(Cover* cover) {
  for (uint32_t i = 0; i < cover->count; ++i) Release(cover->cubes[i]);
  Release(cover->cubes);
  Release(cover);
}

// Removes each cube that another one contains.
void RemoveContained(Cover* cover) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < cover->count; ++i) {
    bool redundant = false;
    for (uint32_t j = 0; j < cover->count && !redundant; ++j) {
      if (i == j || cover->cubes[j] == nullptr) continue;
      redundant = Contains(cover->cubes[j], cover->cubes[i]);
    }
    if (redundant) {
      Release(cover->cubes[i]);
      cover->cubes[i] = nullptr;
    }
  }
  for (uint32_t i = 0; i < cover->count; ++i) {
    if (cover->cubes[i] != nullptr) cover->cubes[kept++] = cover->cubes[i];
  }
  cover->count = kept;
}

// Returns the cubes that meet `variable` = `literal`, with that variable made free.
Cover* Cofactor(const Cover* cover, uint32_t variable, unsigned literal) {
  Cover* result = NewCover(cover->variables);
  for (uint32_t i = 0; i < cover->count; ++i) {
    if ((Literal(cover->cubes[i], variable) & literal) == 0) continue;
    Cube* cube = CopyCube(cover->cubes[i]);
    SetLiteral(cube, variable, 3);
    Append(result, cube);
  }
  return result;
}

// Returns the cubes of `cover` but number `skip` that meet `point`, with point's literals made
// free.
Cover* CofactorByCube(const Cover* cover, const Cube* point, uint32_t skip) {
  Cover* result = NewCover(cover->variables);
  for (uint32_t i = 0; i < cover->count; ++i) {
    if (i == skip || !Intersects(cover->cubes[i], point)) continue;
    Cube* cube = CopyCube(cover->cubes[i]);
    for (uint32_t w = 0; w < cube->words; ++w) cube->bits[w] |= ~point->bits[w];
    Append(result, cube);
  }
  return result;
}

// Returns the variable on which most cubes depend, or `variables` if none does.
uint32_t MostBoundVariable(const Cover* cover) {
  uint32_t* uses = AllocateArray<uint32_t>(cover->variables);
  memset(uses, 0, cover->variables * sizeof(uses[0]));
  for (uint32_t i = 0; i < cover->count; ++i) {
    for (uint32_t v = 0; v < cover->variables; ++v) uses[v] += Literal(cover->cubes[i], v) != 3;
  }
  uint32_t best = cover->variables;
  uint32_t most = 0;
  for (uint32_t v = 0; v < cover->variables; ++v) {
    if (uses[v] > most) {
      most = uses[v];
      best = v;
    }
  }
  Release(uses);
  return best;
}

bool HasUniversalCube(const Cover* cover) {
  for (uint32_t i = 0; i < cover->count; ++i) {
    if (IsUniversal(cover->cubes[i])) return true;
  }
  return false;
}

// Returns whether the cover holds every point (Shannon expansion).
bool IsTautology(const Cover* cover) {
  if (HasUniversalCube(cover)) return true;
  const uint32_t variable = MostBoundVariable(cover);
  if (variable == cover->variables) return false;
  for (unsigned literal = 1; literal <= 2; ++literal) {
    Cover* half = Cofactor(cover, variable, literal);
    const bool full = IsTautology(half);
    FreeCover(half);
    if (!full) return false;
  }
  return true;
}

// Returns a cover of all points that `cover` does not hold.
Cover* Complement(const Cover* cover) {
  Cover* result = NewCover(cover->variables);
  if (cover->count == 0) {
    Append(result, NewCube(cover->variables));
    return result;
  }
  if (HasUniversalCube(cover)) return result;
  const uint32_t variable = MostBoundVariable(cover);
  for (unsigned literal = 1; literal <= 2; ++literal) {
    Cover* half = Cofactor(cover, variable, literal);
    Cover* outside = Complement(half);
    for (uint32_t i = 0; i < outside->count; ++i) {
      SetLiteral(outside->cubes[i], variable, literal);
      Append(result, outside->cubes[i]);
    }
    outside->count = 0;
    FreeCover(outside);
    FreeCover(half);
  }
  RemoveContained(result);
  return result;
}

// EXPAND: frees each literal of each cube where that does not touch the off-set.
void Expand(Cover* cover, const Cover* off_set) {
  for (uint32_t i = 0; i < cover->count; ++i) {
    Cube* cube = CopyCube(cover->cubes[i]);
    for (uint32_t v = 0; v < cover->variables; ++v) {
      const unsigned literal = Literal(cube, v);
      if (literal == 3) continue;
      SetLiteral(cube, v, 3);
      for (uint32_t j = 0; j < off_set->count; ++j) {
        if (!Intersects(cube, off_set->cubes[j])) continue;
        SetLiteral(cube, v, literal);
        break;
      }
    }
    Release(cover->cubes[i]);
    cover->cubes[i] = cube;
  }
  RemoveContained(cover);
}

// IRREDUNDANT: removes each cube that the others cover together.
void RemoveRedundant(Cover* cover) {
  for (uint32_t i = cover->count; i-- > 0;) {
    Cover* others = CofactorByCube(cover, cover->cubes[i], i);
    const bool covered = IsTautology(others);
    FreeCover(others);
    if (!covered) continue;
    Release(cover->cubes[i]);
    memmove(&cover->cubes[i], &cover->cubes[i + 1],
            (cover->count - i - 1) * sizeof(cover->cubes[0]));
    --cover->count;
  }
}

Cover* RandomCover(Random* random, uint32_t variables, uint32_t count) {
  Cover* cover = NewCover(variables);
  for (uint32_t i = 0; i < count; ++i) {
    Cube* cube = NewCube(variables);
    const size_t literals = random->Between(4, 7);
    for (size_t j = 0; j < literals; ++j) {
      SetLiteral(cube, static_cast<uint32_t>(random->Below(variables)), random->Between(1, 2));
    }
    Append(cover, cube);
  }
  return cover;
}

uint64_t Cost(const Cover* cover) {
  uint64_t literals = 0;
  for (uint32_t i = 0; i < cover->count; ++i) {
    for (uint32_t v = 0; v < cover->variables; ++v) literals += Literal(cover->cubes[i], v) != 3;
  }
  return literals << 16 | cover->count;
}

}  // namespace

uint64_t RunWorkload(const Options& options) {
  Random random(2);
  uint64_t sum = 0;
  for (size_t i = 0; i < options.Scaled(420); ++i) {
    const auto variables = static_cast<uint32_t>(random.Between(14, 18));
    Cover* cover = RandomCover(&random, variables, static_cast<uint32_t>(random.Between(60, 120)));
    Cover* off_set = Complement(cover);
    Expand(cover, off_set);
    RemoveRedundant(cover);
    // A minimised cover and the off-set share no point.
    for (uint32_t j = 0; j < off_set->count; ++j) {
      if (cover->count > 0 && Intersects(cover->cubes[0], off_set->cubes[j])) Fail("wrong cover");
    }
    sum = sum * 31 + Cost(cover) + off_set->count;
    FreeCover(off_set);
    FreeCover(cover);
  }
  return sum;
}

}  // namespace strata::bench
