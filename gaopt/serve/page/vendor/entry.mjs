// What the page uses of Apache ECharts; `make vendor` builds echarts.min.js from it.
import { init, registerTheme, use } from "echarts/core";
import { CustomChart, LineChart, ParallelChart, ScatterChart } from "echarts/charts";
import { DataZoomInsideComponent, GridComponent, ParallelComponent, TooltipComponent } from "echarts/components";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer } from "echarts/renderers";

use([CustomChart, LineChart, ParallelChart, ScatterChart]);
use([DataZoomInsideComponent, GridComponent, ParallelComponent, TooltipComponent]);
use([LabelLayout, CanvasRenderer]);

export { init, registerTheme };
