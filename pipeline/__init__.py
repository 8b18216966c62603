import os

# ONNX Runtime sends its maker what it runs from version 1.32 on, and keeps a number of the machine
# in the home directory. It looks at this when it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
