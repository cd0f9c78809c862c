import hydra, time
from hybrid.config import register_schemas
register_schemas()
@hydra.main(version_base="1.3", config_path="../configs", config_name="benchmark")
def run(cfg):
    print(time.time(), cfg.model.name, cfg.fold, cfg.repeat, cfg.experiment, cfg.model.recipe)
run()
