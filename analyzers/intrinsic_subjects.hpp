// Which pieces of a model does intrinsic_fingerprint look at?
#pragma once
#include <map>
#include <string>
#include <vector>

#include "analyzers/analyzer.hpp"

namespace stemma {

/// Per decoder layer L: "layers/L/qk" (q, k), "layers/L/ov" (v, o), "layers/L/ud" (up, down) and "layers/L/g"
/// (gate), the last two once per routed expert E as ".../E". Companions: the gain of the norm in front
/// ("pre"), then that of the norm behind ("post"), where they exist. Parameters:
///   heads, kv_heads (0: unknown) · norm (0 rms, 1 layer) · pre, post (1: companion present) · pre_offset,
///   post_offset (to be added to stored gains) · qk_norm (1: q and k are normalised per head) · twin (0: no
///   circuits are wanted, edges only).
/// A block with one norm for attention and MLP (no norm.pre_mlp) reads its MLP from norm.pre_attn.
std::vector<Subject> intrinsic_subjects(const Model& model, const std::map<std::string, double>& options);

}  // namespace stemma
