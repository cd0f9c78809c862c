import numpy as np
def mse(p,t): return float(((p-t)**2).mean())
def all_metrics(p,t): return {"mse":mse(p,t)}
