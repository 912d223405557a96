package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// testHalf gives the data of tiny images to test on: the same.
func testHalf(t *testing.T, data string) {
	t.Helper()
	dir := strings.TrimPrefix(data, "--data=idx:")
	b, err := os.ReadFile(filepath.Join(dir, "train-images-idx3-ubyte"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "t10k-images-idx3-ubyte"), b, 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestEval(t *testing.T) {
	preset, data := tiny(t)
	t.Chdir(t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if code, _, stderr := call(preset, data, "--steps=2", "--out=r"); code != 0 {
		t.Fatal(stderr)
	}
	if code, _, stderr := call("eval", "parzen", "r", data); code != 1 || !strings.Contains(stderr, "no file t10k-images-idx3-ubyte") {
		t.Errorf("without test images: exit %d\n%s", code, stderr)
	}
	testHalf(t, data)
	code, stdout, stderr := call("eval", "parzen", "r", data, "--count=50", "--json")
	var got struct {
		Metric, Data    string
		Samples, Images int
		Result          struct{ Sigma, Test float64 }
	}
	if err := json.Unmarshal([]byte(stdout), &got); code != 0 || stderr != "" || err != nil || strings.Count(stdout, "\n") != 1 {
		t.Fatalf("exit %d, %v\n%s%s", code, err, stdout, stderr)
	}
	if got.Metric != "parzen" || got.Data != "squares" || got.Samples != 50 || got.Images != 55 || got.Result.Sigma < 0.1 || got.Result.Test == 0 {
		t.Errorf("got %s", stdout)
	}
	code, file, _ := call("eval", "parzen", "r/generator.onnx", data, "--count=50", "--threads=1")
	if code != 0 || !strings.HasPrefix(file, "Parzen window log-likelihood: ") || !strings.Contains(file, "55 test images of squares") {
		t.Errorf("exit %d\n%s", code, file)
	}
	if code, text, _ := call("eval", "parzen", "r", "--resize=6", "--count=50"); code != 0 || !strings.Contains(text, "10000 test images of mnist") {
		t.Errorf("exit %d\n%s", code, text)
	}

	// Digits, with the network that comes with gantrain; the second time from the cache.
	if code, _, stderr := call("--preset=mlp28", "--steps=2", "--batch=10", "--out=digits"); code != 0 {
		t.Fatal(stderr)
	}
	for _, metric := range []string{"frechet", "kid", "prdc"} {
		if code, stdout, stderr := call("eval", metric, "digits", "--count=100"); code != 0 || !strings.Contains(stdout, "mnist-classifier features") || stderr != "" {
			t.Errorf("%s: exit %d\n%s%s", metric, code, stdout, stderr)
		}
	}
	if names, _ := filepath.Glob(filepath.Join(os.Getenv("XDG_CACHE_HOME"), "gantry", "*.features")); len(names) != 1 {
		t.Errorf("the cache holds %v, want the features of 100 images", names)
	}
}

func TestEvalMisuse(t *testing.T) {
	preset, data := tiny(t)
	t.Chdir(t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if code, _, stderr := call(preset, data, "--steps=2", "--out=r"); code != 0 {
		t.Fatal(stderr)
	}
	testHalf(t, data)
	for _, c := range []struct{ args, want string }{
		{"", "eval takes the name of the metric first"},
		{"fid r", "unknown metric \"fid\""},
		{"parzne r", "did you mean parzen?"},
		{"--json", "unknown flag --json"},
		{"parzen", "got 0"},
		{"parzen r r", "got 2"},
		{"parzen nowhere", "nowhere: no such file"},
		{"parzen r --data nowhere", "no such data set"},
		{"parzen r --data ring", "needs a data set with images to test on"},
		{"parzen r", "hint: --resize 6 makes them fit"},
		{"parzen r --count 0", "leave it out for 10000"},
		{"modes r --count 0 --data ring", "leave it out for 2500"},
		{"parzen r --threads 0", "--threads 0: must be at least 1"},
		{"parzen r --features x", "unknown flag --features"},
		{"parzen r --resize 0", "--resize 0: must be 1 to 1024"},
		{"kid r DATA --resize 5 --features mnist", "but the images of squares have shape [1 5 5]"},
		{"modes r", "eval modes needs --data"},
		{"modes r DATA", "has no modes that are known"},
		{"modes r --data grid", "makes samples of shape [1 6 6], want [2]"},
		{"frechet r DATA", "there is no network of our own"},
		{"frechet r DATA --features mnist", "mnist-classifier takes image float32 [N 1 28 28], but images are [1 6 6]"},
		{"frechet r DATA --features r/generator.onnx", "want one input of images"},
		{"frechet r DATA --features none.onnx", "none.onnx: no such file"},
		{"kid r --features-range 1", "want two numbers"},
		{"kid r --features-range 1,1", "want two numbers"},
	} {
		args := []string{"eval"}
		for _, a := range strings.Fields(c.args) {
			if a == "DATA" {
				a = data
			}
			args = append(args, a)
		}
		code, stdout, stderr := call(args...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, c.want) || !strings.Contains(stderr, "\ngantrain: hint: ") {
			t.Errorf("%s: exit %d\n%s%s", c.args, code, stdout, stderr)
		}
	}
}

func TestEvalHelp(t *testing.T) {
	if len(evaluations) != len(evaluationNames) {
		t.Errorf("%d metrics, %d names", len(evaluations), len(evaluationNames))
	}
	checkHelp(t, "eval", evalUsage, evaluationNames, func(name string) (string, *pflag.FlagSet) {
		return evaluations[name].usage, newEvalFlags(name).fs
	})
}

// checkHelp checks that each of a command's names has a text, with its flags,
// their defaults, and three examples that parse.
func checkHelp(t *testing.T, command, usage string, names []string, of func(name string) (text string, fs *pflag.FlagSet)) {
	t.Helper()
	texts := map[string]string{"": usage}
	for _, name := range names {
		text, fs := of(name)
		texts[name] = text
		if !strings.Contains(usage, "\n  "+name+" ") {
			t.Errorf("%s is not in the help of %s", name, command)
		}
		fs.VisitAll(func(f *pflag.Flag) {
			if !regexp.MustCompile(`--` + f.Name + `\b`).MatchString(text) {
				t.Errorf("%s: --%s is not in the help", name, f.Name)
			}
			if d := f.DefValue; d != "" && d != "false" && f.Name != "resize" && f.Name != "threads" && !regexp.MustCompile(`(?s)--`+f.Name+` [^()]*?\(`+d+`[,)]`).MatchString(text) {
				t.Errorf("%s: the help does not say that --%s is %s", name, f.Name, d)
			}
		})
	}
	for name, text := range texts {
		args := append([]string{command}, strings.Fields(name)...)
		code, stdout, stderr := call(append(args, "--help")...)
		if code != 0 || stderr != "" || stdout != text {
			t.Errorf("%s: exit %d\n%s%s", name, code, stdout, stderr)
		}
		for line := range strings.Lines(text) {
			if len([]rune(line)) > 81 {
				t.Errorf("%d columns: %s", len([]rune(line))-1, line)
			}
		}
		_, examples, _ := strings.Cut(text, "Examples\n")
		if strings.Count(examples, "  gantrain "+command+" ") != 3 {
			t.Errorf("%s: want three examples\n%s", name, examples)
		}
		for line := range strings.Lines(examples) {
			words := strings.Fields(line)
			_, fs := of(words[2])
			if err := parse(fs, words[3:], "", nil); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
}
