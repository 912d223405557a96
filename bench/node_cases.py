"""Writes the cases that the installed onnx package has for single operators, in the layout of ONNX's own test data:
DIR/<case>/model.onnx and DIR/<case>/test_data_set_0/{input,output}_<i>.pb.

usage: node_cases.py DIR

The package states each case at one opset: that of the operator's last change. DIR/<case>@<opset> is the same case at
another: at the newest, where its meaning is the same, and at that of each earlier change from 7 on, where the operator could
say it. Arguments that were attributes then become attributes, and ONNX Runtime says what came out."""
import collections, os, sys, warnings
import numpy as np, onnx, onnxruntime
from onnx import TensorProto, helper, numpy_helper
warnings.simplefilter('ignore')  # of the cases' own arithmetic
from onnx.backend.test.case.node import collect_testcases

OLDEST, NEWEST = 7, onnx.defs.onnx_opset_version()
# Values of attributes that neither onnx.checker nor ONNX Runtime refuses before their opset.
LATER = {('Pad', 'wrap'): 19, **{(op, v): 18 for op in ('ScatterElements', 'ScatterND') for v in ('min', 'max')}}
RENAMED = {'constant_value': 'value', 'K': 'k'}  # arguments whose attribute had another name
onnxruntime.set_default_logger_severity(4)

def write(dir, name, model, inputs, outputs):
    data = os.path.join(dir, name, 'test_data_set_0')
    os.makedirs(data)
    with open(os.path.join(dir, name, 'model.onnx'), 'wb') as f: f.write(model.SerializeToString())
    for what, values, infos in ('input', inputs, model.graph.input), ('output', outputs, model.graph.output):
        for i, (x, info) in enumerate(zip(values, infos, strict=True)):
            if not isinstance(x, TensorProto): x = numpy_helper.from_array(np.asarray(x), info.name)
            with open(os.path.join(data, '%s_%d.pb' % (what, i)), 'wb') as f: f.write(x.SerializeToString())

def tensors(model):
    return all(v.type.HasField('tensor_type') for v in [*model.graph.input, *model.graph.output])

def older(model, inputs):
    """Yields (opset, model, inputs) for each older meaning of the case's operator that its signature allows."""
    (node,), opset = model.graph.node, model.opset_import[0].version
    new, below = onnx.defs.get_schema(node.op_type, opset), opset
    while (below := onnx.defs.get_schema(node.op_type, below).since_version - 1) >= OLDEST:
        try: schema = onnx.defs.get_schema(node.op_type, below)
        except onnx.defs.SchemaError: return
        at, n = max(schema.since_version, OLDEST), onnx.NodeProto()
        n.CopyFrom(node)
        given = iter(zip(model.graph.input, inputs))
        infos, values = [], []
        del n.input[:]
        for i, name in enumerate(node.input):
            if name == '':
                n.input.append('')
                continue
            info, x = next(given)
            formal = new.inputs[min(i, len(new.inputs) - 1)].name
            attr = RENAMED.get(formal, formal)
            if attr in schema.attributes and not (i < len(schema.inputs) and schema.inputs[i].name == formal):
                if x.size: n.attribute.append(helper.make_attribute(attr, x.item() if x.ndim == 0 or attr == 'k' else x.tolist()))
                continue
            n.input.append(name)
            infos.append(info)
            values.append(x)
        while n.input and n.input[-1] == '': n.input.pop()
        if len(n.input) > schema.max_input or len(n.output) > schema.max_output: continue
        if any(a.name not in schema.attributes or at < LATER.get((n.op_type, a.s.decode()), 0) for a in n.attribute): continue
        graph = helper.make_graph([n], 'case', infos, model.graph.output)
        for y in graph.output: y.type.tensor_type.ClearField('shape')
        yield at, helper.make_model(graph, opset_imports=[helper.make_opsetid('', at)], ir_version=7), values

def main():
    dir, count = sys.argv[1], collections.Counter()
    for case in collect_testcases():
        (inputs, outputs), = case.data_sets
        if not tensors(case.model):
            count['without tensors'] += 1
            continue
        write(dir, case.name, case.model, inputs, outputs)
        count['as they are'] += 1
        (node, *more), opset = case.model.graph.node, case.model.opset_import[0].version
        if more or node.domain or not all(isinstance(x, np.ndarray) for x in inputs): continue
        if opset < NEWEST and onnx.defs.get_schema(node.op_type, NEWEST).since_version <= opset:
            case.model.opset_import[0].version = NEWEST
            write(dir, '%s@%d' % (case.name, NEWEST), case.model, inputs, outputs)
            case.model.opset_import[0].version = opset
            count['newest'] += 1
        for at, model, values in older(case.model, inputs):
            try:
                s = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider'])
                got = s.run(None, {v.name: x for v, x in zip(model.graph.input, values)})
                for y, x in zip(model.graph.output, got):
                    y.CopyFrom(helper.make_tensor_value_info(y.name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape))
                onnx.checker.check_model(model, full_check=True)
            except Exception:
                count['older: refused by ONNX Runtime or onnx.checker'] += 1
                continue
            write(dir, '%s@%d' % (case.name, at), model, values, got)
            count['older'] += 1
    print(', '.join('%s %d' % c for c in sorted(count.items())))

if __name__ == '__main__': main()
