"""The table of ablations: what of the hybrid is varied, and every arm that `arm=` knows.

Everything that an arm does not name is at its default, and all arms of an experiment share its folds. An arm is known
by its label alone, so one that several ablations share is trained once.
"""

from hybrid.experiment.ablation import axis, factorial, gathered, table, variants

PRETRAINED = "model.pretrained=${runs_dir}/pretraining-${protocol.size}-"

FIRST_DESIGN = "model.options.frame_mixer=none model.options.head=attentive "

OF_ONE_AXIS = table(
    axis(
        "branch_rate",
        "How fast what the hybrid adds to a pretrained SlowFast learns, as a factor on the rate of the rest.",
        "model.recipe.new_module_factor",
        "10.0",
        (1.0, 30.0),
        against="pretrained",
    ),
    variants(
        "fine_tuning",
        "How fast pretrained weights learn on, as a factor on the rate from fresh ones, which what is added has.",
        "0.1",
        {
            "fine_tuning-0.3": "model.recipe.fine_tuning_factor=0.3 model.recipe.new_module_factor=3.33",
            "fine_tuning-1": "model.recipe.fine_tuning_factor=1.0 model.recipe.new_module_factor=1.0",
        },
        against="pretrained",
    ),
    variants(
        "frames",
        "Frames of the second that a clip lasts, and which of them Slow sees; 32 show each of a clip's 16 twice.",
        "16 frames, Slow every 4th, spread",
        {
            "frames-8": "model.num_frames=8 model.frame_rate=8",
            "frames-32": "model.num_frames=32 model.frame_rate=32",
            "frames-slow-every-2nd": "model.options.alpha=2",
            "frames-slow-every-8th": "model.options.alpha=8",
            "frames-slow-from-first": "model.options.slow_frames=stride",
        },
    ),
    axis(
        "frame_mixer",
        "What mixes a clip's frames before the mean over time, with as many parameters; that reach over all of them "
        "helps is the core claim.",
        "model.options.frame_mixer",
        "attention",
        ("window3", "window5", "window9", "conv5", "conv31", "perceptron", "alone", "none"),
    ),
    axis(
        "glimpse",
        "Whether the part over frames looks at each again, at the head, cut out along its heading.",
        "model.options.glimpse",
        "true",
        (False,),
    ),
    axis(
        "frozen",
        "What of the pretrained weights stays as it is, batch statistics or the whole backbone.",
        "model.recipe.frozen",
        "none",
        ("batch_norm", "backbone"),
        against="pretrained",
    ),
    axis(
        "frozen_published",
        "What of the published weights stays as it is, batch statistics or the whole backbone; the paper's "
        "size alone has any.",
        "model.recipe.frozen",
        "none",
        ("batch_norm", "backbone"),
    ),
    variants(
        "fusion",
        "How SlowFast and TimeSformer are put together; by concatenated features or averaged grades, at the "
        "hybrid's cost.",
        "inside, the hybrid",
        {
            "fusion-concatenated": "model=late_fusion model.options.matched=true",
            "fusion-concatenated-whole": "model=late_fusion",
            "ensemble": "model=ensemble",
        },
    ),
    variants(
        "head",
        "How features become grades; attentive adds a pooling by learned weights to SlowFast's mean, ordinal places a "
        "clip on one scale of grades.",
        "pooled, linear",
        {
            "head-attentive": "model.options.head=attentive",
            "head-ordinal": "model.options.classifier=ordinal",
        },
    ),
    axis(
        "init",
        "Whether branches start as nothing or at random.",
        "model.options.init",
        "zero",
        ("random",),
        against="branches",
    ),
    axis(
        "keys",
        "Where in space a query sees.",
        "model.options.keys",
        "place",
        ("neighbourhood", "frame", "frame_to_frame", "joint"),
        against="branches",
    ),
    axis(
        "laterals",
        "Whether SlowFast's local connections from Fast to Slow are there.",
        "model.options.laterals",
        "true",
        (False,),
    ),
    axis(
        "loss",
        "What training minimises; the measures are the same for all. Judge emd and emd2 by EMD "
        "(hybrid/training/losses.py).",
        "model.recipe.loss",
        "mse",
        ("kl", "emd", "emd2", "rps"),
    ),
    axis(
        "mixer",
        "What mixes over time, in place of attention and with as many parameters.",
        "model.options.mixer",
        "attention",
        ("conv3", "conv9", "shift"),
        against="branches",
    ),
    axis(
        "mlp",
        "A perceptron after the mixing, by its hidden width in widths of the branch.",
        "model.options.mlp",
        "0",
        (1, 2, 4),
        against="branches",
    ),
    variants(
        "nonlocal",
        "The hybrid beside SlowFast and its non-local blocks, which attend over space and time at once, in Slow alone.",
        "hybrid",
        {
            "slowfast": "model=slowfast",
            "slowfast_nln": "model=slowfast_nln",
        },
    ),
    axis(
        "positions",
        "How attention knows when a frame was.",
        "model.options.positions",
        "rotary_seconds",
        ("none", "learned", "relative", "rotary_index"),
        against="branches",
    ),
    variants(
        "pretraining",
        "Whether SlowFast, and so the hybrid, was pretrained on simulated clips.",
        "as the protocol says",
        {
            "pretrained": "weights=simulated_slowfast",
        },
    ),
    variants(
        "pretraining_of",
        "Whether it was SlowFast or the whole hybrid that was pretrained.",
        "slowfast",
        {
            "pretrained-hybrid": "model.pretrained=simulated",
        },
        against="pretrained",
    ),
    variants(
        "pretraining_targets",
        "What pretraining was told: without products of the tail's bends, or without kind and frames of events; "
        "tools/pretrain.py targets=... does so first.",
        "dense",
        {
            "pretrained-no-bends": PRETRAINED + "dense_no_bends/slowfast/pretrained.ckpt",
            "pretrained-no-relations": PRETRAINED + "dense_no_relations/slowfast/pretrained.ckpt",
            "pretrained-no-events": PRETRAINED + "dense_no_events/slowfast/pretrained.ckpt",
        },
        against="pretrained",
    ),
    variants(
        "published",
        "What SlowFast's weights from Kinetics are worth; the paper's size alone has any.",
        "published",
        {
            "published-none": "model.pretrained=none",
        },
    ),
    variants(
        "regularisation",
        "What a training step leaves out at random, branches (drop path) or Fast (drop pathway).",
        "neither",
        {
            "drop-path-0.1": "model.options.drop_path=0.1",
            "drop-path-0.3": "model.options.drop_path=0.3",
            "drop-pathway-0.1": "model.options.drop_pathway=0.1",
            "drop-pathway-0.3": "model.options.drop_pathway=0.3",
        },
        against="branches",
    ),
    axis(
        "scope",
        "Which pathway reads which.",
        "model.options.scope",
        "both",
        ("slow", "fast", "separate", "fast_to_slow"),
        against="branches",
    ),
    variants(
        "stages",
        "The first design, where the pathways exchange over time inside, at each place, and where they do.",
        "nowhere, all frames at the end",
        {
            "branches": FIRST_DESIGN + "model.options.stages=res4-5",
            "branches-res5": FIRST_DESIGN + "model.options.stages=res5",
            "branches-res3-5": FIRST_DESIGN + "model.options.stages=res3-5",
            "branches-late": FIRST_DESIGN + "model.options.stages=late",
            "branches-too": "model.options.stages=res4-5",
        },
    ),
    axis(
        "train_share",
        "Share of the training clips, in as many steps.",
        "model.recipe.train_share",
        "1.0",
        (0.12, 0.25, 0.5),
    ),
    variants(
        "width",
        "Width and heads of the branches; by default 48 and 4 at tiny size, 256 and 8 at paper size.",
        "whole",
        {
            "width-half": "model.options.width=${by_size:24,128}",
            "width-double": "model.options.width=${by_size:96,512}",
            "width-one-head": "model.options.heads=1",
            "width-double-heads": "model.options.heads=${by_size:8,16}",
        },
        against="branches",
    ),
    axis(
        "window",
        "How many frames of the clip, centred on its own, a query of the branches sees.",
        "model.options.window",
        "global",
        (3, 5, 9),
        against="branches",
    ),
)

ABLATIONS = OF_ONE_AXIS | table(
    gathered(
        "overview",
        "One other value of each axis, for a first look at which of them matter.",
        "none of these",
        [
            "frame_mixer-window5",
            "frame_mixer-conv31",
            "frame_mixer-alone",
            "branches",
            "branches-too",
            "laterals-false",
            "frames-slow-every-2nd",
            "head-attentive",
            "head-ordinal",
            "loss-emd2",
            "fusion-concatenated",
            "ensemble",
            "slowfast",
            "slowfast_nln",
        ],
        OF_ONE_AXIS,
    ),
    factorial(
        "share_by_pretraining",
        "Error against the share of the training clips, with and without pretraining on simulated ones.",
        OF_ONE_AXIS["train_share"],
        OF_ONE_AXIS["pretraining"],
    ),
)
