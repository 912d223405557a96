package main

// usage is what gantrain --help prints. A test holds it against the flags.
const usage = `gantrain trains a GAN and exports its generator to ONNX.

  gantrain [train] [flags]          train; without flags: dcgan28 on MNIST
  gantrain presets [NAME]           list what there is; print one as JSON
  gantrain export RUN -o g.onnx     export the generator of a checkpoint
  gantrain eval METRIC RUN          measure a generator: parzen, frechet, ...
  gantrain repro EXPERIMENT         repeat an experiment of a paper
  gantrain bench --preset NAME      measure a training step
  gantrain data inspect PATH        say what images there are to train on
  gantrain version                  what this is

Examples
  gantrain --steps 80 --out runs/first
  gantrain train --resume runs/first --steps 100
  gantrain export runs/first --step 80 -o g.onnx

The run
  --preset NAME|FILE.json   networks and recipe (dcgan28)
  --data mnist|PATH|idx:DIR what to train on: a folder of images, a .zip of one,
                            CIFAR-10's binary files, IDX files; mnist:0-49999 is
                            a part of mnist; ring and grid are points (mnist)
  --resize N                side that images are cropped and scaled to (of a
                            folder: that of the preset's samples; else: none)
  --mirror                  use each image mirrored, too
  --steps N                 updates of the generator (3000)
  --seed S                  with preset and data, decides every bit (0)
  --out DIR                 run directory, new or empty (runs/NNNNN-DATA-PRESET)
  --resume DIR              go on with a run, from its newest checkpoint
  --init DIR|CHECKPOINT     begin with the weights of another run
  -n, --dry-run             print layers, memory and disk; do nothing

The networks of a DCGAN preset (left out: the preset's own)
  --size N                  pixels of a side: 4 to 7 times a power of two
  --channels N              1 grey, 3 colour (as the data are)
  --nz N                    elements of the latent vector
  --ngf N --ndf N           channels of the widest layers of pixels in G and D

  --pack M                  samples that D judges at once (any preset; 1)

What does not change the result
  --threads T               threads (as many as there are processors)
  --vm gantry|tape          what runs the graphs; tape is Gorgonia's (gantry)
  --checkpoint-every N      steps between checkpoints (1000)
  --keep N                  newest checkpoints to keep, 0 for all (3)
  --sample-every N          steps between grids of samples (500)
  --log-every N             steps between lines of numbers (50)

The recipe (left out: the preset's own)
  --batch N                 images per update
  --k N                     updates of the discriminator per update of G
  --shards N                equal parts of a batch that are summed alone
  --update alternating|simultaneous
  --g-latents same|fresh    latents for G: those of D's update, or its own
  --g-loss non_saturating|minimax
  --g-loss-scale X --d-loss-scale X
  --solver adam|sgd
  --lr X                    learning rate of both; alone: --g-lr X --d-lr X
  --lr-decay X --lr-min X   divide the rate by X at each step, down to a least
  --beta1 X --beta2 X --eps X                            (adam)
  --momentum X --momentum-final X                        (sgd)
  --momentum-start EPOCH --momentum-saturate EPOCH       (sgd)
  --g-init TYPE:SCALE --d-init TYPE:SCALE
                            normal:0.02, uniform:0.05, fan_in_uniform
  --gamma-std X             of batch norms' scales around 1; 0 for none
  --g-output-bias marginals|none
  --ema IMAGES|off          grids and exports are of a moving average of G with
                            this half-life

  --help, --version

Results go to stdout, words to stderr. Exit: 0 done, 1 failed, 2 misused; 130,
143 or 129 stopped by Ctrl-C, SIGTERM or SIGHUP, after saving.
`

const presetsUsage = `gantrain presets           list the presets
gantrain presets NAME      print one as JSON

Examples
  gantrain presets
  gantrain presets mlp28 > mine.json         change it, and then
  gantrain --preset mine.json --out runs/mine
`

const dataUsage = `gantrain data inspect mnist|ring|PATH|idx:DIR     say what would be trained on

  --resize N        side that images are cropped and scaled to (a folder's: 64)
  --mirror          use each image mirrored, too

Examples
  gantrain data inspect faces
  gantrain data inspect faces.zip --resize 32 --mirror
  gantrain data inspect cifar-10-batches-bin
`

const versionUsage = `gantrain version           print version, arithmetic and kernels
`

const benchUsage = `gantrain bench             measure a training step on synthetic images

  --preset NAME|FILE.json   networks and recipe (dcgan28)
  --batch N                 images per update (the preset's own)
  --threads T               threads (as many as there are processors)
  --seconds S               how long (20)
  --json                    one line of JSON

The step is the median. Its rate counts the operations that it needs; its share
is of the processor's multiply-adds alone, measured between the steps.

Examples
  gantrain bench
  gantrain bench --preset dcgan64 --batch 128 --threads 2 --seconds 20 --json
`

const exportUsage = `gantrain export RUN|CHECKPOINT -o FILE     export a generator, and verify it

  -o, --out FILE    the file to write
  --step N          the checkpoint of that step (the newest)
  --ema=false       the weights as trained, not their moving average
  --fold=false      keep batch normalisations as nodes (folded by default)

Examples
  gantrain export runs/first -o g.onnx
  gantrain export runs/first --step 80 -o g.onnx
  gantrain export runs/first/checkpoint-000080.safetensors -o g.onnx
`
