package main

// The help of gantrain repro. Tests hold it against the flags.
const reproUsage = `gantrain repro EXPERIMENT     repeat an experiment of a paper

Of Goodfellow et al., "Generative Adversarial Nets" (2014):
  figure1       D follows its optimum, and G the data, on a line
  figure2       samples, and the training images nearest to them
  figure3       lines between latents
  algorithm1    what k and the loss of G do, on 8 Gaussians
  parzen-mnist  the table's row for MNIST

Of Lin et al., "PacGAN" (2018):
  modes         modes of ring and grid that a GAN and PacGAN2 hit

gantrain repro EXPERIMENT --help says what each one takes and means;
docs/reproduction.md has their results. The seed decides every bit.

Examples
  gantrain repro figure1
  gantrain repro parzen-mnist --seeds 3 --out runs/parzen
  gantrain repro modes --steps 40000 --trials 3
`

// reproCommon are the flags of every experiment.
const reproCommon = `  --seed S          decides every bit (0)
  --threads T       threads (as many as there are processors)
  --json            one line of JSON
`

const reproFigure1Usage = `gantrain repro figure1     D and G at several times of training, on a line

  --steps N         updates of G (4000)
  --out DIR         for figure1.png and figure1.gif (repro/figure1)
` + reproCommon + `
Draws the density of the data and that of G's samples, D(x), and the optimum
D*(x) = p_data/(p_data + p_g). Theory says how it ends: D is 1/2 wherever there
are data, the value function -log 4, the Jensen-Shannon divergence 0.

Examples
  gantrain repro figure1
  gantrain repro figure1 --steps 1000 --seed 1
  gantrain repro figure1 --json
`

const reproFigure2Usage = `gantrain repro figure2 RUN|MODEL.onnx     samples, and their nearest neighbours

  --data mnist|PATH|idx:DIR   the training images (mnist), which are cropped and
                    scaled to the size of the samples
  --out DIR         for figure2.png (repro/figure2)
` + reproCommon + `
The last column has the training image that is nearest to the sample left of it,
by the distance of pixels: a generator that had learned its data by heart would
show the same image twice.

Examples
  gantrain repro figure2 runs/first
  gantrain repro figure2 g.onnx --data mnist:0-49999 --seed 1
  gantrain repro figure2 runs/first --json
`

const reproFigure3Usage = `gantrain repro figure3 RUN|MODEL.onnx     samples on lines between latents

  --out DIR         for figure3.png (repro/figure3)
` + reproCommon + `
Row r goes straight from latent 2r of the seed to latent 2r+1.

Examples
  gantrain repro figure3 runs/first
  gantrain repro figure3 g.onnx --seed 1
  gantrain repro figure3 runs/first --out pictures --json
`

const reproAlgorithm1Usage = `gantrain repro algorithm1     k and the loss of G, on a ring of 8 Gaussians

  --steps N         updates of G in each training, a multiple of 100 (4000)
  --out DIR         for algorithm1.png (repro/algorithm1)
` + reproCommon + `
Trains with k = 1, 2 and 5 updates of D for each of G, and with either loss of
G: log(1 - D(G(z))), of the value function, which saturates where D is sure, and
-log D(G(z)), which the paper recommends for its stronger gradients early on.

Examples
  gantrain repro algorithm1
  gantrain repro algorithm1 --steps 1000 --seed 1
  gantrain repro algorithm1 --json
`

const reproParzenUsage = `gantrain repro parzen-mnist     log-likelihood of MNIST, by the 2014 paper

  --seeds N         runs, of the seeds S, S+1 ... (1)
  --steps N         updates of G in each run; 500 are a pass (50000)
  --every N         steps between checkpoints to choose from (2500)
  --out DIR         for the runs, the chosen generators (repro/parzen-mnist)
` + reproCommon + `
Trains goodfellow-mnist as the authors' code does, on the first 50,000 training
images; takes the checkpoint under which the last 10,000 are the likeliest; and
scores it on the test images with 10,000 samples. A second row is of the moving
average of G in the same runs. Given again, it goes on where it was stopped;
more steps or seeds go further.

Examples
  gantrain repro parzen-mnist
  gantrain repro parzen-mnist --seeds 3 --steps 125000
  gantrain repro parzen-mnist --steps 500 --every 500 --json
`

const reproModesUsage = `gantrain repro modes     modes that a GAN and PacGAN2 hit, on ring and grid

  --steps N         updates of G in each trial (40000, a tenth of PacGAN's)
  --trials N        trials, of the seeds S, S+1 ... (3)
  --out DIR         for the runs and modes.png (repro/modes)
` + reproCommon + `
Trains pacgan2d with batches of 100, and of 100 packs of two, and counts the
modes of 2,500 samples; beside it, the tables of PacGAN's and of VEEGAN's paper.
Given again, it goes on where it was stopped; more steps or trials go further.

Examples
  gantrain repro modes
  gantrain repro modes --steps 400000 --trials 10
  gantrain repro modes --steps 100 --trials 1 --json
`
