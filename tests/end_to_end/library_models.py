"""Tiny random checkpoints as the transformers library itself saves them; run as a script: library_models.py DIRECTORY."""
import pathlib
import sys

SIZES = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
         "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
GROUPED = {**SIZES, "num_key_value_heads": 2}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
ROUTED = {"n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16, "first_k_dense_replace": 1, "n_group": 1,
          "topk_group": 1, "n_shared_experts": 1}
GPT = {"vocab_size": 64, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 16, "bos_token_id": 1, "eos_token_id": 2}
LATENT = {"q_lora_rank": 12, "kv_lora_rank": 10, "qk_nope_head_dim": 6, "qk_rope_head_dim": 4, "v_head_dim": 5}

# model_type: (the family of our tables, what its configuration says)
MODELS = {
    "llama": ("llama", GROUPED), "mistral": ("llama", GROUPED), "granite": ("llama", GROUPED), "smollm3": ("llama", GROUPED),
    "qwen2": ("qwen2", GROUPED), "qwen3": ("qwen3", {**GROUPED, "head_dim": 8}), "gemma": ("gemma", {**GROUPED, "head_dim": 16}),
    "gemma2": ("gemma2", {**GROUPED, "head_dim": 16}), "gemma3_text": ("gemma3", {**GROUPED, "head_dim": 16}),
    "nemotron": ("nemotron", GROUPED), "phi": ("phi", GROUPED), "phi3": ("phi3", GROUPED), "gpt2": ("gpt2", GPT),
    "gpt_bigcode": ("gpt_bigcode", GPT), "gptj": ("gptj", {**GPT, "rotary_dim": 4}), "codegen": ("codegen", {**GPT, "rotary_dim": 4}),
    "gpt_neo": ("gpt_neo", {"vocab_size": 64, "hidden_size": 32, "num_layers": 2, "num_heads": 4, "max_position_embeddings": 16,
                            "attention_types": [[["global", "local"], 1]], "bos_token_id": 1, "eos_token_id": 2}),
    "gpt_neox": ("gpt_neox", SIZES), "bloom": ("bloom", {"vocab_size": 64, "hidden_size": 32, "n_layer": 2, "n_head": 4}),
    "falcon": ("falcon", {**SIZES, "new_decoder_architecture": True, "num_kv_heads": 2}), "persimmon": ("persimmon", SIZES),
    "mpt": ("mpt", {"vocab_size": 64, "d_model": 32, "n_heads": 4, "n_layers": 2}),
    "opt": ("opt", {**SIZES, "ffn_dim": 48, "max_position_embeddings": 16, "word_embed_proj_dim": 32}),
    "mixtral": ("mixtral", {**GROUPED, "num_local_experts": 4}), "phimoe": ("phimoe", {**GROUPED, "num_local_experts": 4}),
    "qwen2_moe": ("qwen2_moe", {**GROUPED, **EXPERTS, "shared_expert_intermediate_size": 24, "mlp_only_layers": [0]}),
    "qwen3_moe": ("qwen3_moe", {**GROUPED, **EXPERTS, "head_dim": 8, "mlp_only_layers": [0]}),
    "olmoe": ("olmoe", {**GROUPED, "num_experts": 4}), "olmo": ("olmo", GROUPED), "olmo2": ("olmo2", GROUPED), "olmo3": ("olmo2", GROUPED),
    "deepseek_v2": ("deepseek_v2", {**SIZES, **ROUTED, **LATENT}), "deepseek_v3": ("deepseek_v2", {**SIZES, **ROUTED, **LATENT}),
    "cohere": ("cohere", GROUPED), "cohere2": ("cohere", GROUPED), "starcoder2": ("starcoder2", GROUPED),
    "glm": ("glm", {**GROUPED, "head_dim": 8}), "glm4": ("glm4", {**GROUPED, "head_dim": 8}),
    "glm4_moe": ("glm4_moe", {**GROUPED, **ROUTED, "head_dim": 8, "use_qk_norm": True}),
    "exaone4": ("exaone4", GROUPED), "apertus": ("apertus", GROUPED), "stablelm": ("stablelm", GROUPED), "minicpm": ("minicpm", GROUPED),
    "seed_oss": ("seed_oss", {**GROUPED, "head_dim": 8}), "helium": ("helium", {**GROUPED, "head_dim": 8}),
    "ernie4_5": ("ernie4_5", {**GROUPED, "head_dim": 8}),
    "ernie4_5_moe": ("ernie4_5_moe", {**GROUPED, "moe_num_experts": 4, "moe_k": 2, "moe_intermediate_size": 16, "moe_layer_start_index": 1,
                                      "moe_num_shared_experts": 1}),
    "hunyuan_v1_dense": ("hunyuan", {**GROUPED, "head_dim": 8}),
    "hunyuan_v1_moe": ("hunyuan_moe", {**GROUPED, "head_dim": 8, "num_experts": 4, "moe_topk": 2}),
    "llama4_text": ("llama4", {**GROUPED, "head_dim": 8, "num_local_experts": 4, "intermediate_size_mlp": 40, "interleave_moe_layer_step": 2}),
    "gpt_oss": ("gpt_oss", {**GROUPED, "head_dim": 8, "num_local_experts": 4}),
    "granitemoe": ("granite_moe", {**GROUPED, "num_local_experts": 4}),
    "granitemoeshared": ("granite_moe", {**GROUPED, "num_local_experts": 4, "shared_intermediate_size": 24}),
    "granitemoehybrid": ("granite_hybrid", {**GROUPED, "num_local_experts": 4, "shared_intermediate_size": 24, "mamba_n_heads": 4,
                                            "mamba_d_head": 16, "mamba_d_state": 6, "layer_types": ["mamba", "attention"]}),
    "dbrx": ("dbrx", {"vocab_size": 64, "d_model": 32, "n_heads": 4, "n_layers": 2, "attn_config": {"kv_n_heads": 2, "clip_qkv": 8},
                      "ffn_config": {"ffn_hidden_size": 48, "moe_num_experts": 4, "moe_top_k": 2}}),
    "mamba": ("mamba", {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 6}),
    "falcon_mamba": ("mamba", {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 6}),
    "mamba2": ("mamba2", {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 6, "num_heads": 4, "head_dim": 16,
                          "n_groups": 2}),
    "bert": ("bert", {**SIZES, "max_position_embeddings": 16}), "roberta": ("roberta", {**SIZES, "max_position_embeddings": 16}),
    "xlm-roberta": ("roberta", {**SIZES, "max_position_embeddings": 16}),
    "distilbert": ("distilbert", {"vocab_size": 64, "dim": 32, "hidden_dim": 48, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 16}),
    "t5": ("t5", {"vocab_size": 64, "d_model": 32, "d_ff": 48, "d_kv": 8, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0}),
    "umt5": ("t5", {"vocab_size": 64, "d_model": 32, "d_ff": 48, "d_kv": 8, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0}),
    "whisper": ("whisper", {"vocab_size": 64, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
                            "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "num_mel_bins": 8,
                            "max_source_positions": 10, "max_target_positions": 12, "pad_token_id": 0, "bos_token_id": 1,
                            "eos_token_id": 2, "decoder_start_token_id": 1}),
}
MASKED = {"bert", "roberta", "xlm-roberta", "distilbert"}
SEQUENCES = {"t5", "umt5", "whisper"}


def write_all(directory):
    """One directory per model type that the installed library knows; prints what it could not build."""
    import transformers  # not at the top: the list is of use without it

    transformers.logging.set_verbosity_error()
    for model_type, (_, values) in MODELS.items():
        kind = (transformers.AutoModelForMaskedLM if model_type in MASKED else transformers.AutoModelForSpeechSeq2Seq
                if model_type == "whisper" else transformers.AutoModelForSeq2SeqLM if model_type in SEQUENCES
                else transformers.AutoModelForCausalLM)
        try:
            model = kind.from_config(transformers.AutoConfig.for_model(model_type, **values))
            model.save_pretrained(pathlib.Path(directory) / model_type)
        except Exception as error:  # versions of the library differ in what they know and ask for
            print(f"{model_type}: {type(error).__name__}: {error}"[:200])


if __name__ == "__main__":
    write_all(sys.argv[1])
