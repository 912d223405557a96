package train

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestReadCurves: few lines are points; many are means of as many as fit, of
// which nothing is lost.
func TestReadCurves(t *testing.T) {
	path := filepath.Join(t.TempDir(), statsName)
	for _, c := range []struct{ lines, points, per int }{{0, 0, 1}, {1, 1, 1}, {maxPoints, maxPoints, 1}, {maxPoints + 1, maxPoints/2 + 1, 2}, {5*maxPoints + 3, 313, 8}} {
		var b bytes.Buffer
		var step, lossD float64
		for i := range c.lines {
			s := Stats{Step: 5 * i, LossD: float64(i % 7), LossG: 1, Dx: 0.5, DGz1: 0.25, DGz2: 0.125}
			line, err := pace{perStep: 1, images: 1}.line(s, time.Time{}, 0)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(append(line, '\n'))
			b.WriteString(`{"step":7,"loss_d":1000}` + "\n") // not of this cadence
			step += float64(s.Step)
			lossD += s.LossD
		}
		if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		points, err := readCurves(path, 5)
		if err != nil || len(points) != c.points {
			t.Fatalf("%d lines: %d points, %v; want %d", c.lines, len(points), err, c.points)
		}
		lines := 0
		for i, p := range points {
			if i < len(points)-1 && p.lines != c.per || p.lossG != 1 || p.dx != 0.5 || p.dgz1 != 0.25 || p.dgz2 != 0.125 || i > 0 && p.step <= points[i-1].step {
				t.Fatalf("%d lines: point %d is %+v", c.lines, i, p)
			}
			lines += p.lines
			step -= p.step * float64(p.lines)
			lossD -= p.lossD * float64(p.lines)
		}
		if lines != c.lines || math.Abs(step) > 1e-3 || math.Abs(lossD) > 1e-6 {
			t.Errorf("%d lines: the points are of %d; left are %v, %v", c.lines, lines, step, lossD)
		}
	}
	if err := os.WriteFile(path, []byte("{\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := readCurves(path, 5); err == nil {
		t.Error("half a line: no error")
	}
}

// TestDrawCurves: whatever the values, there is a picture of bounded size.
func TestDrawCurves(t *testing.T) {
	jagged := make([]curvePoint, maxPoints)
	for i := range jagged {
		v := float64(i * i % 97)
		jagged[i] = curvePoint{1, float64(i * 1e6), v, 96 - v, v / 96, 1 - v/96, v / 200}
	}
	for name, points := range map[string][]curvePoint{"jagged": jagged, "one": jagged[:1], "large": {{lossD: 1e30}, {step: 1, lossD: -1e30}}} {
		var b bytes.Buffer
		if err := drawCurves(&b, name, points); err != nil || b.Len() == 0 || b.Len() > maxCurvesFile {
			t.Errorf("%s: %d bytes, %v", name, b.Len(), err)
		}
	}
}
