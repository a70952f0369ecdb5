"""Loads a command of this folder, which has no extension, as a module of its tests."""

import importlib.machinery
import importlib.util


def load(name, path):
    loader = importlib.machinery.SourceFileLoader(name, path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module
