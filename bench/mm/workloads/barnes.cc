// Gravity among bodies by an octree (Barnes and Hut, "A hierarchical O(N log N) force-calculation
// algorithm", Nature 324, 1986). Each step builds a tree of blocks of one size, walks it many
// times, and frees it: an allocator shows here mostly by how closely it packs the cells.

#include <math.h>
#include <string.h>

#include "bench/mm/workloads/workload.h"

namespace strata::bench {
namespace {

constexpr size_t kBodies = 12'000;
constexpr double kOpening = 0.8;     // A cell that looks smaller than this is taken as a point.
constexpr double kSoftening = 1e-4;  // Keeps close pairs from infinite force.
constexpr double kStepLength = 1e-3;
constexpr double kSmallestCell = 1e-9;  // Bodies closer than this merge into one leaf.

struct Body {
  double position[3];
  double velocity[3];
  double mass;
};

// A leaf has one body's mass and no children.
struct Cell {
  double center[3];  // Of mass, once Summarize() has run.
  double mass;
  bool is_leaf;
  Cell* children[8];
};

Cell* NewCell(const Body& body) {
  auto* cell = static_cast<Cell*>(Allocate(sizeof(Cell)));
  *cell = {{body.position[0], body.position[1], body.position[2]}, body.mass, true, {}};
  return cell;
}

// Returns which eighth of the cube around `middle` holds `position`, and moves `middle` there.
unsigned Descend(const double* position, double half, double* middle) {
  unsigned octant = 0;
  for (unsigned axis = 0; axis < 3; ++axis) {
    const bool upper = position[axis] >= middle[axis];
    octant |= static_cast<unsigned>(upper) << axis;
    middle[axis] += upper ? half : -half;
  }
  return octant;
}

void Insert(Cell** root, const Body& body, double half) {
  double middle[3] = {0, 0, 0};
  Cell** place = root;
  while (*place != nullptr) {
    Cell* cell = *place;
    half /= 2;
    if (cell->is_leaf) {
      if (half < kSmallestCell) {
        cell->mass += body.mass;
        return;
      }
      // The leaf becomes a branch, and the body that it held moves one level down.
      Body moved = {};
      memcpy(moved.position, cell->center, sizeof(moved.position));
      moved.mass = cell->mass;
      double below[3] = {middle[0], middle[1], middle[2]};
      cell->is_leaf = false;
      cell->children[Descend(moved.position, half, below)] = NewCell(moved);
    }
    place = &cell->children[Descend(body.position, half, middle)];
  }
  *place = NewCell(body);
}

// Fills in mass and center of mass of the branches, from the leaves up.
void Summarize(Cell* cell) {
  if (cell->is_leaf) return;
  cell->mass = 0;
  double weighted[3] = {0, 0, 0};
  for (Cell* child : cell->children) {
    if (child == nullptr) continue;
    Summarize(child);
    cell->mass += child->mass;
    for (unsigned axis = 0; axis < 3; ++axis) weighted[axis] += child->mass * child->center[axis];
  }
  for (unsigned axis = 0; axis < 3; ++axis) cell->center[axis] = weighted[axis] / cell->mass;
}

void AddPull(const Cell* cell, const Body& body, double width, double* pull) {
  double delta[3];
  double square = kSoftening;
  for (unsigned axis = 0; axis < 3; ++axis) {
    delta[axis] = cell->center[axis] - body.position[axis];
    square += delta[axis] * delta[axis];
  }
  if (cell->is_leaf || width * width < kOpening * kOpening * square) {
    const double strength = cell->mass / (square * sqrt(square));
    for (unsigned axis = 0; axis < 3; ++axis) pull[axis] += strength * delta[axis];
    return;
  }
  for (const Cell* child : cell->children) {
    if (child != nullptr) AddPull(child, body, width / 2, pull);
  }
}

uint64_t FreeTree(Cell* cell) {
  uint64_t cells = 1;
  for (Cell* child : cell->children) {
    if (child != nullptr) cells += FreeTree(child);
  }
  Release(cell);
  return cells;
}

uint64_t Step(Body* bodies) {
  double half = 1.0;
  for (size_t i = 0; i < kBodies; ++i) {
    for (const double coordinate : bodies[i].position) half = fmax(half, fabs(coordinate) * 1.01);
  }
  Cell* root = nullptr;
  for (size_t i = 0; i < kBodies; ++i) Insert(&root, bodies[i], half);
  Summarize(root);
  for (size_t i = 0; i < kBodies; ++i) {
    double pull[3] = {0, 0, 0};
    AddPull(root, bodies[i], 2 * half, pull);
    for (unsigned axis = 0; axis < 3; ++axis) {
      bodies[i].velocity[axis] += pull[axis] * kStepLength;
      bodies[i].position[axis] += bodies[i].velocity[axis] * kStepLength;
    }
  }
  return FreeTree(root);
}

}  // namespace

uint64_t RunWorkload(const Options& options) {
  Random random(3);
  auto* bodies = AllocateArray<Body>(kBodies);
  for (size_t i = 0; i < kBodies; ++i) {
    bodies[i] = {};
    bodies[i].mass = 1.0 / kBodies;
    for (double& coordinate : bodies[i].position) {
      coordinate = static_cast<double>(random.Below(1u << 30)) / (1u << 29) - 1.0;
    }
  }
  uint64_t sum = 0;
  for (size_t step = 0; step < options.Scaled(60); ++step) sum = sum * 31 + Step(bodies);
  Release(bodies);
  return sum;
}

}  // namespace strata::bench
